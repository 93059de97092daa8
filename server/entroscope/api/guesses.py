"""How often an address may be wrong about the token: a bucket of guesses that fills up slowly."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

#: Wrong tokens in a row that one address may send at once.
AT_ONCE = 20
#: Then one in so many seconds: 10,000 guesses a day.
REFILL_S = 9.0
#: Addresses remembered; of more, those that guessed longest ago are forgotten.
REMEMBERED = 4096
#: Who has a network of IPv6 has all addresses of it.
NETWORK_BITS = 64


class Guesses:
    """Counts wrong tokens by address."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: When the bucket of an address will be full again.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def wait_s(self, address: str) -> int:
        """Return after how many seconds an address may guess again; 0 where it may now."""
        missing_s = self._full_at.get(_network(address), 0.0) - self._clock()
        return max(0, math.ceil(missing_s - (AT_ONCE - 1) * REFILL_S))

    def wrong(self, address: str) -> None:
        """Note a wrong token."""
        network = _network(address)
        full_at = max(self._full_at.pop(network, 0.0), self._clock()) + REFILL_S
        self._full_at[network] = full_at
        if len(self._full_at) > REMEMBERED:
            self._full_at.popitem(last=False)


def _network(address: str) -> str:
    """Return what stands for an address: the network of an IPv6 one."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(int(parsed) >> NETWORK_BITS)
