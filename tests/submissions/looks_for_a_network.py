# %% [markdown]
# Asks for a way to the internet, to the metadata service of a cloud and to this machine, which
# sends nothing, and for a network card.

# %% greet
import fcntl
import socket
import struct


def has_route(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect((address, 9))
        except OSError:
            return False
        return True


def is_up(card):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        flags = fcntl.ioctl(s, 0x8913, struct.pack('16sh14x', card.encode(), 0))
    return struct.unpack('16sh14x', flags)[1] & 1


def greet():
    ways = [a for a in ('192.0.2.1', '169.254.169.254', '127.0.0.1') if has_route(a)]
    with open('/proc/net/dev') as lines:
        cards = [line.split(':')[0].strip() for line in lines if ':' in line]
    ways += [card for card in cards if is_up(card)]
    if not ways:
        raise ConnectionError('no way out')
    return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "ConnectionError: no way out"
