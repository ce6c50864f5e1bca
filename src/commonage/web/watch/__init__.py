"""Watch societies live and afterwards: the pages and the data of `commonage serve DIR`."""

from __future__ import annotations

from commonage.web.watch.routes import watch as watch
from commonage.web.watch.serve import serve as serve
