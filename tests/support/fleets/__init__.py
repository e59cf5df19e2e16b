"""Made-up fleets: machines, their links and logs, of every era and set-up."""
