"""How the line stands, for observers: read off its parts, nothing is counted here."""

from linewatch.core.wire import VERSION, Status
from linewatch.line.alarms import Alarms
from linewatch.line.publisher import Publisher
from linewatch.line.sequencer import Sequencer
from linewatch.line.supervisor import Supervisor
from linewatch.triggers.gate import Gate


def status_of(
    sequencer: Sequencer,
    supervisor: Supervisor,
    alarms: Alarms,
    publisher: Publisher,
    gate: Gate,
    unrecorded: int,
    now_ns: int,
) -> Status:
    """The status now. unrecorded: decisions that no log will have."""
    return Status(
        v=VERSION,
        station=publisher.station.name,
        run=publisher.run,
        t_ns=now_ns,
        children={name: child.state for name, child in supervisor.needed.items()},
        gate=gate.fileno() >= 0,
        triggers=sequencer.counters.triggers,
        in_flight=sequencer.in_flight,
        actuators=publisher.actuators.registered,
        unconfirmed=publisher.actuators.unconfirmed,
        unrecorded=unrecorded,
        behind=publisher.observers.behind,
        reject_rate=round(alarms.rejects.share, 4),
        failsafe_rate=round(alarms.doubts.share, 4),
        in_a_row=alarms.in_a_row,
        alarms=alarms.on,
    )
