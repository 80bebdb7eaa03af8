"""What tests need around the code: real brokers, our own processes, free ports. No test is here."""
