// The pages of `commonage serve`: studies, one study, one match or two beside each other. The address says which.
import {Line, byId, el, put} from './dom.js';
import {Pages, Roll} from './watch-roll.js';
import {chart} from './watch-lines.js';
import {announce, api, standing} from './watch-api.js';
import {Match} from './watch-match.js';

const [, , study, number] = location.pathname.split('/').map(decodeURIComponent);
const main = byId('main'), COLORS = 8;
let waits;

const link = (href, ...text) => el('a', {href}, ...text);
const at = (...parts) => ['/study', ...parts.map(encodeURIComponent)].join('/');
const line = on => { byId('line').className = on ? 'on' : 'off'; byId('line').textContent = on ? 'live' : 'not connected'; };
const count = (n, what) => `${n.toLocaleString('en')} ${what}${n === 1 ? '' : what.endsWith('ch') ? 'es' : 's'}`;

function path(...parts) {
  put(byId('path'), link('/', 'commonage'), ...parts);
  document.title = [...parts.map(part => part.textContent).reverse(), 'commonage'].join(' - ');
}

/** Draws anew what has changed, and only then; who was on a link or a button stays there. */
function renew(node, told, draw) {
  const key = JSON.stringify(told), places = () => [...node.querySelectorAll('a, button')], held = places().indexOf(document.activeElement);
  if (node.told === key) return;
  node.told = key;
  put(node, ...draw());
  places()[held]?.focus({preventScroll: true});
}

function progress(counts, planned) {
  const done = (counts.finished ?? 0) + (counts.failed ?? 0), bar = el('span', {class: 'bar', 'aria-hidden': 'true'}, el('i', {}), el('i', {class: 'bad'}));
  bar.children[0].style.width = `${100 * (counts.finished ?? 0) / planned}%`;
  bar.children[1].style.width = `${100 * (counts.failed ?? 0) / planned}%`;
  return el('span', {class: 'number'}, bar, `${done.toLocaleString('en')} of ${planned.toLocaleString('en')}`);
}

const ago = seconds => seconds < 60 ? 'just now' : seconds < 3600 ? `${Math.round(seconds / 60)} min ago` : seconds < 172800 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86400)} days ago`;
const others = counts => ['failed', 'paused', 'open'].filter(kind => counts[kind]).map(kind => `${counts[kind]} ${kind}`).join(', ');

async function studies() {
  path();
  const body = el('tbody', {});
  const show = async () => {
    const found = await api('');
    line(true);
    renew(body, found.map(one => ({...one, quiet: ago(one.quiet)})), () => found.map(one => one.error ? el('tr', {}, el('td', {class: 'name'}, one.name), el('td', {class: 'trouble', colspan: 4}, one.error)) : el('tr', {}, el('td', {class: 'name'}, link(at(one.id), one.name), el('small', {}, one.games.slice(0, 3).join('; ') + (one.games.length > 3 ? ' ...' : ''))),
      el('td', {class: 'number spare'}, one.arms), el('td', {}, progress(one.counts, one.planned), el('span', {class: 'sub'}, others(one.counts))), el('td', {class: 'number'}, one.spent?.cost ?? '…'), el('td', {}, ago(one.quiet)))));
  };
  put(main, el('h1', {}, 'Studies'), el('div', {class: 'wide'}, el('table', {}, el('thead', {}, el('tr', {}, ...['study', 'arms', 'matches over', 'cost', 'written'].map(name => el('th', {scope: 'col', class: name === 'arms' && 'spare'}, name)))), body)));
  await show();
  setTimeout(() => show().catch(() => line(false)), 600);
  setInterval(() => show().catch(() => line(false)), 4000);
}

async function oneStudy() {
  let about = await api(study);
  path(el('span', {}, about.name));
  const facts = el('p', {class: 'facts'}), arms = el('tbody', {}), roll = el('div', {class: 'roll', role: 'table', 'aria-label': 'Matches'});
  const head = () => {
    put(facts, el('span', {}, progress(about.counts, about.planned)), others(about.counts) && el('span', {}, others(about.counts)), el('span', {}, 'cost ', el('b', {}, about.spent?.cost ?? '…')),
      about.spent?.tokens ? el('span', {}, el('b', {}, about.spent.tokens.toLocaleString('en')), ' tokens') : null, !about.complete && el('span', {}, 'counting ...'), about.hands === 'open' && el('span', {}, 'open hands'));
    renew(arms, about.arms, () => about.arms.map(arm => el('tr', {}, el('td', {class: 'name'}, el('span', {class: `dot ground-arm${arm.arm % COLORS}`}), arm.name, el('small', {}, arm.name.includes(arm.seats) ? arm.game : `${arm.game}; ${arm.seats}`)),
      el('td', {}, progress(arm.counts, arm.planned), el('span', {class: 'sub'}, others(arm.counts))), el('td', {}, el('button', {onclick: () => list.to(arm.first)}, count(arm.planned, 'match'))))));
  };
  const list = new Matches(roll, about), filters = el('div', {class: 'tools', role: 'group', 'aria-label': 'Which matches'});
  const filter = which => { list.only(which); [...filters.children].forEach(one => one.setAttribute('aria-pressed', String(one.value === which))); };
  filters.append(...[['', 'all'], ['failed', 'failed'], ['paused', 'paused'], ['open', 'being played'], ['trouble', 'with trouble']].map(([value, name]) => el('button', {value, 'aria-pressed': String(value === ''), onclick: () => filter(value)}, name)));
  put(main, el('h1', {}, about.name), facts, el('h2', {}, count(about.arms.length, 'arm')), el('div', {class: 'wide'}, el('table', {}, arms)),
    measures(about), el('h2', {}, 'Matches'), filters, el('div', {class: 'row head', 'aria-hidden': 'true'}, ...['match', 'status', 'repeat', 'arm', 'rounds', 'cost', 'causes'].map(name => el('span', {}, name))), roll);
  head();
  const refresh = async () => {
    about = list.about = await api(study);
    head();
    if (!about.complete) waits = setTimeout(refresh, 500);
  };
  if (!about.complete) waits = setTimeout(refresh, 300);
  new Line(`/live/${encodeURIComponent(study)}`, message => {
    list.changed(message.rows);
    clearTimeout(waits);
    waits = setTimeout(refresh, 400);
  }, line, about.n);
}

/** The measures of the arms: read when they are asked for, since that reads the whole log. */
function measures(about) {
  const body = el('div', {}), box = el('details', {}, el('summary', {}, 'Measures of the arms, floors and ceilings, rounds'), body);
  box.addEventListener('toggle', async () => {
    if (!box.open || body.childElementCount) return;
    put(body, el('p', {class: 'note'}, 'Reading the whole log ...'));
    try {
      const found = await api(`${study}/arms`);
      const rows = found.measures.map(one => el('tr', {}, el('td', {class: 'name'}, one.name), ...one.cells.map(cell => el('td', {class: 'number'}, cell ? [cell.mean, ' ', cell.limits].join('') : '', el('span', {class: 'sub'}, cell ? [...cell.ends, cell.bounds && `under failures ${cell.bounds}`].filter(Boolean).join(', ') : '')))));
      put(body, el('div', {class: 'wide'}, el('table', {}, el('thead', {}, el('tr', {}, el('th', {}, 'mean [95 % interval]'), ...found.names.map((name, i) => el('th', {}, el('span', {class: `dot ground-arm${i % COLORS}`}), name)))), el('tbody', {}, ...rows))),
        el('div', {class: 'charts'}, ...found.lines.map(one => chart({...one, x: one.rows.flatMap(row => row.x), rows: one.rows.map(row => ({...row, color: `arm${row.arm % COLORS}`}))}))), ...found.notes.map(note => el('p', {class: 'note'}, note)));
    } catch (error) { put(body, el('p', {class: 'error'}, error.message)); }
  });
  return box;
}

/** The list of matches, all or those of a status. */
class Matches {
  constructor(node, about) {
    Object.assign(this, {about, which: ''});
    this.pages = new Pages(50, (from, size) => this.load(from, size), () => this.roll.show());
    this.roll = new Roll(node, {high: 36, count: about.planned, pages: this.pages, draw: (index, row) => this.draw(index, row)});
  }

  async load(from, size) {
    if (!this.which) return api(`${study}/matches?first=${from + 1}&count=${size}`);
    const found = await api(`${study}/such/${this.which}?first=${from}&count=${size}`);
    if (found.total !== this.roll.count) this.roll.resize(found.total);
    return found.rows;
  }

  async only(which) {
    this.which = which;
    this.pages.rows.clear();
    this.pages.stale(0);
    this.roll.node.scrollTop = 0;
    this.roll.resize(which ? (await api(`${study}/such/${which}?first=0&count=1`)).total : this.about.planned);
    announce(`${this.roll.count} matches`);
  }

  changed(rows) {
    if (this.which) return;
    for (const row of rows) this.pages.rows.set(row.match - 1, row);
    this.roll.show();
  }

  to(match) {
    this.roll.node.scrollTop = (match - 1) * 36 / this.roll.scale;
    this.roll.node.scrollIntoView({block: 'nearest'});
  }

  draw(index, row) {
    if (!row) return el('div', {class: 'row', role: 'row'}, el('span', {class: 'status waiting'}, this.which ? '' : index + 1));
    const arm = this.about.arms.find(one => one.arm === row.arm), trouble = [row.asked && `${row.asked} not read`, row.failed && `${row.failed} failed`, row.replaced && `${row.replaced} replaced`].filter(Boolean).join(', ');
    const cause = row.cause ? `${row.where ? row.where + ': ' : ''}${row.cause}` : trouble, cell = (...children) => el('span', {role: 'cell'}, ...children);
    return el('a', {class: 'row', role: 'row', href: at(study, row.match)}, cell(el('b', {}, row.match)), el('span', {role: 'cell', class: `status ${standing(row)}`}, standing(row)), cell(row.repeat + 1),
      cell(el('span', {class: `dot ground-arm${row.arm % COLORS}`}), arm?.name ?? ''), cell(row.rounds ?? ''), cell(row.cost ?? ''), el('span', {role: 'cell', title: cause}, cause));
  }
}

async function matches() {
  const beside = new URLSearchParams(location.search).get('beside');
  const found = await Promise.all([number, beside].filter(Boolean).map(one => api(`${study}/matches/${one}`)));
  const [a, b] = found, ring = [];
  path(link(at(study), a.study ?? study), el('span', {}, b ? `${a.match} beside ${b.match}` : `match ${a.match}`));
  const choose = el('select', {'aria-label': 'Beside it', onchange: () => { location.search = choose.value ? `?beside=${choose.value}` : ''; }}, el('option', {value: ''}, 'beside it: nothing'),
    ...a.beside.map(one => el('option', {value: one.match, selected: String(one.match) === beside}, `match ${one.match}: ${one.name}`)));
  const step = (to, text) => to >= 1 && !b ? link(at(study, to), text) : null;
  const nodes = found.map(() => el('div', {class: 'match'}));
  const title = one => el('div', {}, el('h1', {}, `Match ${one.match}: ${one.game}`), el('p', {class: 'sub'}, one.name));
  put(main, b ? el('div', {class: 'tools'}, choose) : el('div', {class: 'tools'}, step(a.match - 1, '← match ' + (a.match - 1)), step(a.match + 1, 'match ' + (a.match + 1) + ' →'), a.beside.length ? choose : null),
    b ? el('div', {class: 'pair'}, ...found.map((one, i) => el('section', {}, title(one), nodes[i]))) : el('section', {}, title(a), nodes[0]));
  found.forEach((one, i) => ring.push(new Match(nodes[i], study, one, ring, line)));
}

try {
  await (number ? matches() : study ? oneStudy() : studies());
} catch (error) {
  put(main, el('h1', {}, 'That did not work'), el('p', {class: 'error'}, error.message), el('p', {}, link('/', 'All studies')));
}
