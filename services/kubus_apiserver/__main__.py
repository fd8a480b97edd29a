"""`python -m kubus_apiserver`."""

from kubus_apiserver.main import main

raise SystemExit(main())
