"""A PLC: a real Modbus/TCP server with 16 coils and 32 holding registers from an address on, all 0 at first.

plc_server.py PORT BASE
"""

import asyncio
import sys

from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


async def main() -> None:
    port, base = (int(word) for word in sys.argv[1:])
    bits = [SimData(base, count=16, values=False, datatype=DataType.BITS)]
    words = [SimData(base, count=32, values=0, datatype=DataType.REGISTERS)]
    plc = SimDevice(id=7, simdata=(bits, bits, words, words))
    await ModbusTcpServer(plc, address=("127.0.0.1", port)).serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
