"""Windows hosts in the lab of hosts: the embedded lab's stand-ins, behind a network of their own that is real.

What the survey finds out by connecting, and all that has to agree with it, comes from the host's namespace, so that a
fault of the path is seen by a Windows vantage point: sockets, DNS, addresses, neighbours, routes. What only a Windows has
(rules of its firewall, services, the registry, access lists) comes from the lab's blueprint. `network.ps1` is dot-sourced
behind the product's own prelude, and `served.py` writes the namespace's state into `machine.json` before each command; all
else is the product's lab as it is (its `network_names` asks the namespace's DNS servers).

The limits: TCP and the resolver are Linux's. A real Windows repeats its SYN after a reset (1 to 2 s longer to be refused), keeps
names in a cache, and, as far as is known, goes on until its time is over where a router answers by ICMP.
"""
