// An actuator in another language, without any library of ZeroMQ: node, docs/protocol.md, and ZMTP 3.0 (RFC 23) over ipc.
//     node page_client.mjs SOCKET STATION NAME
// Writes one line of JSON for every decision, and one when it starts and when it stops to reject everything.
import net from "node:net";

const [path, station, name] = process.argv.slice(2);
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const SILENCE_MS = 250;

let run = "", upTo = 0, had = new Set(), welcomed = false, heard = -Infinity, rejecting = true, socket, ready;

const frame = (flags, body) =>
  body.length < 256
    ? Buffer.concat([Buffer.from([flags, body.length]), body])
    : Buffer.concat([Buffer.from([flags | 2, 0, 0, 0, 0, 0, 0, body.length >> 8, body.length & 255]), body]);
const send = (message) => ready && socket.write(frame(0, Buffer.from(JSON.stringify(message))));

function greeting() {
  const bytes = Buffer.alloc(64);
  bytes[0] = 0xff, bytes[9] = 0x7f, bytes[10] = 3;
  bytes.write("NULL", 12);
  return bytes;
}

function readyCommand() {
  const type = Buffer.from("DEALER"), key = Buffer.from("Socket-Type");
  const command = Buffer.from("READY");
  return frame(4, Buffer.concat([
    Buffer.from([command.length]), command, Buffer.from([key.length]), key, Buffer.from([0, 0, 0, type.length]), type,
  ]));
}

function take(topic, said) {
  const kind = topic.slice(station.length + 1);
  if (!topic.startsWith(station + ".") || said.v !== 1) throw new Error(`not ours: ${topic}`);
  if (kind === "welcome") {
    if (said.run !== run) run = said.run, had = new Set(), upTo = 0;
    upTo = Math.max(said.since, upTo), welcomed = true;
  } else if (said.run !== run) {
    welcomed = false;
  } else if (kind === "decision") {
    send({ type: "ack", v: 1, run, seq: said.seq });
    if (!had.has(said.seq)) had.add(said.seq), say({ seq: said.seq, verdict: said.verdict, cause: said.cause });
  } else if (kind === "heartbeat") {
    while (had.has(upTo + 1)) upTo += 1;
    heard = performance.now();
    if (said.seq > upTo) welcomed = false;
  }
}

function connect() {
  let bytes = Buffer.alloc(0), greeted = false, parts = [];
  ready = false;
  socket = net.connect(path, () => socket.write(greeting()));
  socket.on("error", () => {});
  socket.on("close", () => setTimeout(connect, 50));
  socket.on("data", (chunk) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (!greeted && bytes.length >= 64) bytes = bytes.subarray(64), greeted = true, socket.write(readyCommand());
    while (greeted && bytes.length >= 2) {
      const long = bytes[0] & 2, head = long ? 9 : 2;
      if (bytes.length < head) return;
      const length = long ? Number(bytes.readBigUInt64BE(1)) : bytes[1];
      if (bytes.length < head + length) return;
      const flags = bytes[0], body = bytes.subarray(head, head + length);
      bytes = bytes.subarray(head + length);
      if (flags & 4) { ready = true; continue; }
      parts.push(body.toString());
      if (flags & 1) continue;
      take(parts[0], JSON.parse(parts[1]));
      parts = [];
    }
  });
}

say({ reject_all: true });
connect();
setInterval(() => rejecting && send({ type: "register", v: 1, name, run, seq: upTo }), 200);
setInterval(() => {
  const now = performance.now() - heard > SILENCE_MS || !welcomed;
  if (now !== rejecting) rejecting = now, say({ reject_all: now });
}, 20);
