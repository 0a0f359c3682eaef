"""What tests of any cell use: conformance suites per port, and a harness for real nodes."""
