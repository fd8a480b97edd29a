"""`python -m kubus_relay`."""

from kubus_relay.main import main

raise SystemExit(main())
