"""Watch societies: the pages and the data of `commonage serve DIR`, as a site. The rest is plain data, in `watched`."""

from __future__ import annotations

from commonage.web.watch.routes import watch as watch
