"""`python -m kubus_controllers`."""

from kubus_controllers.main import main

raise SystemExit(main())
