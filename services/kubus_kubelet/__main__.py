"""`python -m kubus_kubelet`."""

from __future__ import annotations

from kubus_kubelet.main import main

raise SystemExit(main())
