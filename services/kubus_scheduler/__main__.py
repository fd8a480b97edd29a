"""`python -m kubus_scheduler`."""

from kubus_scheduler.main import main

raise SystemExit(main())
