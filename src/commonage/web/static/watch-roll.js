// Long things of which only what is seen stands in the page: pages of rows, fetched as they come into sight.

export const LIMIT = 8e6;  // pixels that browsers scroll exactly; what is longer is scrolled in proportion

/** Blocks of rows from the server, kept: `get(index)` is a row, or undefined while it is on its way; then `came()` is called. */
export class Pages {
  constructor(size, load, came) {
    Object.assign(this, {size, load, came, rows: new Map(), asked: new Map(), epoch: 0});
  }

  get(index) { return this.rows.get(index); }

  want(first, last) {
    for (let page = Math.floor(first / this.size); page <= Math.floor(last / this.size); page++) if (!this.asked.has(page)) this.fetch(page);
  }

  async fetch(page) {
    const epoch = ++this.epoch;
    this.asked.set(page, epoch);
    try {
      const rows = await this.load(page * this.size, this.size);
      if (this.asked.get(page) !== epoch) return;  // it was let go, or asked for again
      rows.forEach((row, i) => this.rows.set(page * this.size + i, row));
      this.came();
    } catch (error) {
      if (this.asked.get(page) === epoch) setTimeout(() => this.asked.delete(page), 2000);
      console.warn(String(error));
    }
  }

  /** What was fetched from this row on is fetched again when it is wanted; until then it stays as it is. */
  stale(from) {
    for (const page of [...this.asked.keys()]) if ((page + 1) * this.size > from) this.asked.delete(page);
  }
}

/** Runs once a frame, however often it is asked for. */
export function framed(work) {
  let waits = false;
  return () => {
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => { waits = false; work(); });
  };
}

/** A list of rows of one height. `draw(index, row)` gives an element; `row` is undefined while it is on its way. */
export class Roll {
  constructor(node, {high, count, pages, draw}) {
    Object.assign(this, {node, high, count, pages, draw, shown: new Map()});
    this.inner = node.appendChild(document.createElement('div'));
    this.show = framed(() => this.render());
    node.addEventListener('scroll', this.show, {passive: true});
    node.addEventListener('keydown', event => this.key(event));
    new ResizeObserver(this.show).observe(node);
    this.resize(count);
  }

  resize(count) {
    this.count = count;
    this.node.setAttribute('aria-rowcount', count);
    this.node.style.height = `${count * this.high + 2}px`;
    this.inner.style.height = `${Math.min(count * this.high, LIMIT)}px`;
    this.show();
  }

  get scale() {
    const view = this.node.clientHeight, whole = this.count * this.high;
    return whole > LIMIT ? (whole - view) / (LIMIT - view) : 1;
  }

  render() {
    const top = this.node.scrollTop, from = top * this.scale, view = this.node.clientHeight;
    const first = Math.max(0, Math.floor(from / this.high) - 4), last = Math.min(this.count - 1, Math.ceil((from + view) / this.high) + 4);
    if (last >= first) this.pages.want(first, last);
    for (const [index, [node]] of this.shown) if (index < first || index > last) { node.remove(); this.shown.delete(index); }
    for (let index = first; index <= last; index++) this.place(index, index * this.high - from + top);
  }

  place(index, y) {
    const row = this.pages.get(index), before = this.shown.get(index);
    if (!before || before[1] !== row) {
      const node = this.draw(index, row), focused = before && before[0] === document.activeElement;
      node.setAttribute('aria-rowindex', index + 1);
      if (before) before[0].replaceWith(node); else this.inner.append(node);
      if (focused) node.focus({preventScroll: true});
      this.shown.set(index, [node, row]);
    }
    this.shown.get(index)[0].style.top = `${y}px`;
  }

  key(event) {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    const at = [...this.shown].find(([, [node]]) => node === document.activeElement)?.[0];
    if (!step || at == null) return;
    event.preventDefault();
    const to = Math.max(0, Math.min(this.count - 1, at + step));
    this.node.scrollTop += step * this.high / this.scale;
    this.render();
    this.shown.get(to)?.[0].focus({preventScroll: true});
  }
}
