"""A lab of separate hosts: namespaces with a router between three subnets, real systemd, sshd, dnsmasq and packet filters.

`run.py` is a program for namespaces of its own: it builds the hosts (`network.py`, `host.py`), lets each scenario break
something (`scenarios/`), surveys by SSH as anybody would, and tells what the diagnosis named (`judge.py`).
"""
