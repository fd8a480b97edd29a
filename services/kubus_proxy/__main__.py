"""`python -m kubus_proxy`."""

from kubus_proxy.main import main

raise SystemExit(main())
