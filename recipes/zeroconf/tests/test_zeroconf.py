"""Messages there and back; the cache and the parser are compiled."""

import zeroconf._cache
from zeroconf import DNSOutgoing, DNSPointer, DNSQuestion
from zeroconf._protocol.incoming import DNSIncoming


def test_the_compiled_code_is_taken():
    assert not zeroconf._cache.__file__.endswith(".py")


def test_messages():
    out = DNSOutgoing(0x8400)
    out.add_question(DNSQuestion("_http._tcp.local.", 12, 1))
    out.add_answer_at_time(DNSPointer("_http._tcp.local.", 12, 1, 4500, "x._http._tcp.local."), 0)
    (packet,) = out.packets()
    message = DNSIncoming(packet)
    assert message.valid
    assert [answer.alias for answer in message.answers()] == ["x._http._tcp.local."]
