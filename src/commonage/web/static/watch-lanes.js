// A match as lanes: a lane for each seat, a column for each round. Only the cells in sight stand in the page.
import {el} from './dom.js';
import {LIMIT, Pages, framed} from './watch-roll.js';
import {short} from './watch-lines.js';

const HEAD = 28, LINE = 18, BLOCK = 24;
const narrow = matchMedia('(max-width: 720px)');
export const seat = place => el('span', {class: `seat ground-arm${place % 8}`}, place + 1);
const LAYERS = {spent: 'spent', fined: 'fined', moved: 'got'};

/** `load(first, last)` gives columns from 1; `chosen(column, place, data)` hears which cell was chosen. */
export class Lanes {
  constructor(node, {names, unit, lines, count, load, chosen}) {
    Object.assign(this, {node, names, unit, count, chosen, cells: new Map(), heads: new Map(), now: 0, picked: null});
    this.lines = unit === 'step' ? 1 : Math.max(2, Math.min(lines, 5));
    this.pages = new Pages(BLOCK, (from, size) => load(from + 1, from + size), () => this.show());
    this.wide = unit === 'step' ? 96 : 178;
    this.high = this.lines * LINE + LINE + 14;
    this.show = framed(() => this.render());
    this.build();
    node.addEventListener('scroll', this.show, {passive: true});
    node.addEventListener('keydown', event => this.key(event));
    new ResizeObserver(this.show).observe(node);
  }

  build() {
    this.node.setAttribute('role', 'grid');
    this.node.setAttribute('aria-label', `Seats by ${this.unit}: arrows move, Enter opens`);
    this.node.setAttribute('aria-rowcount', this.names.length);
    this.headRow = el('div', {class: 'heads', 'aria-hidden': 'true'}, el('span', {class: 'corner'}, this.unit));
    this.nameColumn = el('div', {class: 'names', 'aria-hidden': 'true'});
    this.nameColumn.style.height = `${this.names.length * this.high}px`;
    this.span = this.node.appendChild(el('div', {class: 'span'}, this.headRow, this.nameColumn));
    this.whos = new Map();
    this.resize(this.count);
  }

  get side() { return narrow.matches ? 84 : 150; }
  get scale() {
    const view = this.node.clientWidth - this.side, whole = this.count * this.wide;
    return whole > LIMIT ? (whole - view) / (LIMIT - view) : 1;
  }

  resize(count) {
    this.count = count;
    this.node.setAttribute('aria-colcount', count);
    this.span.style.width = `${this.side + Math.min(count * this.wide, LIMIT)}px`;
    this.show();
  }

  /** Columns from here on have changed. */
  stale(from, count) {
    this.pages.stale(from - 1);
    this.resize(count);
  }

  render() {
    const left = this.node.scrollLeft, from = left * this.scale, view = this.node.clientWidth - this.side;
    const first = Math.max(0, Math.floor(from / this.wide) - 1), last = Math.min(this.count - 1, Math.ceil((from + view) / this.wide));
    const up = Math.max(0, Math.floor(this.node.scrollTop / this.high) - 1);
    const down = Math.min(this.names.length - 1, Math.ceil((this.node.scrollTop + this.node.clientHeight - HEAD) / this.high));
    if (last >= first) this.pages.want(first, last);
    this.keep(this.heads, key => key >= first && key <= last);
    this.keep(this.whos, key => key >= up && key <= down);
    this.keep(this.cells, key => { const [column, place] = key.split(':').map(Number); return column >= first && column <= last && place >= up && place <= down; });
    for (let place = up; place <= down; place++) this.who(place);
    for (let column = first; column <= last; column++) {
      const x = this.side + column * this.wide - from + left, data = this.pages.get(column);
      this.head(column, data, x);
      for (let place = up; place <= down; place++) this.cell(column, place, data, x);
    }
  }

  keep(shown, still) {
    for (const [key, entry] of shown) if (!still(key)) { entry.node.remove(); shown.delete(key); }
  }

  who(place) {
    if (this.whos.has(place)) return;
    const node = el('div', {class: 'who', title: this.names[place]}, seat(place), this.names[place]);
    node.style.top = `${place * this.high}px`;
    node.style.height = `${this.high}px`;
    this.nameColumn.append(node);
    this.whos.set(place, {node});
  }

  head(column, data, x) {
    let entry = this.heads.get(column);
    if (!entry || entry.data !== data) {
      entry?.node.remove();
      const table = (data?.table ?? []).map(act => act.kind === 'finished' ? ' · end' : ` · ${act.kind}`).join('');
      const text = data ? `${column + 1}${table}${data.over || table ? '' : ' …'}` : `${column + 1}`;
      entry = {data, node: this.headRow.appendChild(el('div', {class: 'col'}, text))};
      entry.node.style.width = `${this.wide}px`;
      this.heads.set(column, entry);
    }
    entry.node.classList.toggle('now', column + 1 === this.now);
    entry.node.style.left = `${x}px`;
  }

  cell(column, place, data, x) {
    const key = `${column}:${place}`;
    let entry = this.cells.get(key);
    if (!entry || entry.data !== data) {
      const node = this.draw(column, place, data);
      if (entry?.node === document.activeElement) queueMicrotask(() => node.focus({preventScroll: true}));
      if (entry) entry.node.replaceWith(node); else this.span.append(node);
      this.cells.set(key, entry = {node, data});
    }
    const picked = this.picked?.[0] === column && this.picked[1] === place;
    entry.node.classList.toggle('now', column + 1 === this.now);
    entry.node.classList.toggle('chosen', picked);
    entry.node.setAttribute('aria-selected', picked);
    entry.node.tabIndex = picked || (!this.picked && column === 0 && place === 0) ? 0 : -1;
    entry.node.style.left = `${x}px`;
  }

  draw(column, place, data) {
    const cell = data?.seats[place], acts = cell?.acts ?? [];
    const node = el('div', {class: 'cell', role: 'gridcell', 'aria-colindex': column + 1, 'aria-rowindex': place + 1,
      'aria-label': `Seat ${place + 1}, ${this.unit} ${column + 1}: ${acts.map(spoken).join('; ') || 'nothing yet'}`, onclick: () => this.pick(column, place)});
    const several = new Set(acts.map(act => act.ask)).size > 1 || this.lines > 2;
    const shown = acts.length > this.lines ? [...acts].sort((a, b) => weight(b) - weight(a)).slice(0, this.lines).sort((a, b) => a.step - b.step) : acts;
    node.append(...shown.map(act => line(act, several)));
    if (cell?.pay) node.append(pay(cell, acts.length - shown.length));
    Object.assign(node.style, {top: `${HEAD + place * this.high}px`, width: `${this.wide}px`, height: `${this.high}px`});
    return node;
  }

  pick(column, place) {
    this.picked = [column, place];
    this.render();
    this.cells.get(`${column}:${place}`)?.node.focus({preventScroll: true});
    this.chosen(column + 1, place, this.pages.get(column));
  }

  /** Marks the column of the step that is shown, and scrolls it into sight. */
  point(column, follow = true) {
    this.now = column;
    if (follow) {
      const x = (column - 1) * this.wide / this.scale, view = this.node.clientWidth - this.side, left = this.node.scrollLeft;
      if (x < left) this.node.scrollLeft = x;
      else if (x + this.wide > left + view) this.node.scrollLeft = x + this.wide - view;
    }
    this.show();
  }

  key(event) {
    const [dx, dy] = {ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1], Home: [-Infinity, 0], End: [Infinity, 0]}[event.key] ?? [];
    const at = this.picked ?? [0, 0];
    if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); this.pick(...at); }
    if (dx == null) return;
    event.preventDefault();
    const within = (value, most) => Math.max(0, Math.min(most, value));
    const [column, place] = [within(at[0] + dx, this.count - 1), within(at[1] + dy, this.names.length - 1)];
    this.point(column + 1);
    const y = place * this.high;
    if (y < this.node.scrollTop) this.node.scrollTop = y;
    else if (y + this.high + HEAD > this.node.scrollTop + this.node.clientHeight) this.node.scrollTop = y + this.high + HEAD - this.node.clientHeight;
    this.render();
    this.pick(column, place);
  }
}

const weight = act => ({move: act.forced ? 0 : 2, says: 3}[act.kind] ?? 4);
const mark = {unread: '⚠ not read', failed: '✕ failed', retired: '✕ retired', paused: '‖ paused', enters: 'enters', replaced: '⇄ replaced'};

/** An act in words, for those who hear it. */
export function spoken(act) {
  if (act.kind === 'says') return `says "${act.move}"`;
  if (act.kind === 'move') return `${act.ask}: ${act.move}${act.forced ? ', the only legal move' : ''}`;
  return `${mark[act.kind] ?? act.kind} ${act.where ?? ''} ${act.why ?? ''}`.trim();
}

function line(act, several) {
  if (act.kind === 'says') return el('p', {class: 'says', title: act.move}, act.words ? `“${act.move}”` : act.move);
  if (act.kind !== 'move') return el('p', {class: 'trouble', title: act.why}, mark[act.kind] ?? act.kind);
  const share = act.p?.[act.move];
  return el('p', {class: act.forced ? 'forced' : '', title: spoken(act)}, several && el('span', {class: 'ask'}, `${act.ask} `), act.move,
    share != null && el('span', {class: 'ask'}, ` p ${share.toFixed(2)}`));
}

/** What a round brought a seat: the reward, and of which layers. */
export function pay(cell, more) {
  const layers = Object.entries(LAYERS).filter(([name]) => cell.pay[name]).map(([name, word]) => `${word} ${short(cell.pay[name])}`);
  const deed = cell.deed == null ? null : el('span', {class: `deed ${cell.deed > 0 ? 'coop' : 'defect'}`, title: cell.deed > 0 ? 'cooperative' : 'not cooperative'}, cell.deed > 0 ? '✓' : '✕');
  return el('p', {class: 'pay'}, deed, el('b', {}, (cell.pay.reward > 0 ? '+' : '') + short(cell.pay.reward)), layers.length ? ` ${layers.join(', ')}` : '', more > 0 ? ` · ${more} more` : '');
}
