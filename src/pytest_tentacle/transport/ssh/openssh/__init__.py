"""Logging on by SSH with a Kerberos ticket, which paramiko does not speak: through the system's own OpenSSH client."""
