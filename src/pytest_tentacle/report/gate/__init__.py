"""The report in the words of those who run the suite as a gate: SARIF, Prometheus, and the CI systems' own."""
