"""A PLC over Modbus/TCP: what it sees stands in registers.py, what it has to do with it in docs/plc.md."""

import logging

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ExceptionResponse, ModbusPDU

from linewatch.actuators.device import Device
from linewatch.actuators.output import State
from linewatch.actuators.registers import EJECTED, coils, registers
from linewatch.core.errors import DeviceError

ANSWER_S = 0.2  # a PLC that takes longer is taken for gone
logging.getLogger("pymodbus").addHandler(logging.NullHandler())  # `trouble` says it, once
_REFUSALS = {1: "illegal function", 2: "illegal data address", 3: "illegal data value", 4: "device failure"}


class ModbusPlc(Device):
    """The heartbeat rises with each write while decisions are trusted, and stands otherwise: then the PLC rejects."""

    def __init__(self, host: str, port: int, unit: int, base: int, *, confirms: bool = False) -> None:
        """unit: the PLC's Modbus unit id. base: address of the first coil and register. confirms: it counts."""
        super().__init__()
        self._where = f"{host}:{port}"
        self._unit = unit
        self._base = base
        self._confirms = confirms
        self._client = ModbusTcpClient(host, port=port, timeout=ANSWER_S, retries=0)
        self._heartbeat = 0

    def _write(self, state: State) -> None:
        """Coils first: a part waits for them."""
        if not self._client.connect():
            raise DeviceError(self._where, "the PLC cannot be reached")
        beat = (self._heartbeat + state.trusted) & 0xFFFF
        try:
            self._answered(self._client.write_coils(self._base, coils(state), device_id=self._unit))
            self._answered(self._client.write_registers(self._base, registers(state, beat), device_id=self._unit))
            if self._confirms:
                self._read_ejected()
        except (ModbusException, OSError) as exc:
            raise DeviceError(self._where, "the PLC does not answer") from exc
        self._heartbeat = beat

    def _read_ejected(self) -> None:
        answer = self._client.read_holding_registers(self._base + EJECTED, count=1, device_id=self._unit)
        self._answered(answer)
        self.ejected = int(answer.registers[0])

    def _drop(self) -> None:
        self._client.close()

    def _answered(self, answer: ModbusPDU) -> None:
        if isinstance(answer, ExceptionResponse):
            said = _REFUSALS.get(answer.exception_code, "see the PLC's manual")
            reason = f"the PLC refuses what is asked of it from address {self._base} on, unit {self._unit}: {said}"
            raise DeviceError(self._where, reason, f"exception {answer.exception_code}")
