// One match: its table at a step, its lanes, its lines, and what stands behind a move.
import {Line, el, put, svg} from './dom.js';
import {paint} from './scene.js';
import {Lanes, pay, seat, spoken} from './watch-lanes.js';
import {chart, short} from './watch-lines.js';
import {announce, api, standing} from './watch-api.js';

const SEEK = 120;  // ms between two pictures while the slider moves

export class Match {
  /** `ring`: the matches beside each other, which go by the same rounds. */
  constructor(node, study, about, ring, changed) {
    Object.assign(this, {node, study, about, ring, changed, step: about.steps ?? 0, follow: about.status === 'open', course: null, playing: 0});
    this.path = `${study}/matches/${about.match}`;
    this.build();
    if (about.status === 'waiting') return this.listen();
    this.makeLanes();
    this.listen();
    this.draw();
    this.read();
    if (location.hash.startsWith('#step-')) this.go(Number(location.hash.slice(6)) || 0);
    else if (!this.follow) this.go(0);
    else this.lanes.point(this.about.columns);
  }

  build() {
    const a = this.about;
    this.facts = el('p', {class: 'facts'});
    this.picture = svg('svg', {class: 'scene'});
    this.still = el('p', {class: 'note'}, 'Drawing ...');
    this.charts = el('div', {class: 'charts'});
    this.slider = el('input', {type: 'range', min: 0, max: a.steps ?? 0, value: this.step, 'aria-label': 'After so many steps', oninput: () => this.go(Number(this.slider.value))});
    this.output = el('output', {});
    this.play = el('button', {class: 'play', 'aria-label': 'Play', onclick: () => this.run()}, '▶');
    const jump = (label, text, to) => el('button', {'aria-label': label, onclick: () => this.go(to())}, text);
    this.marks = el('div', {class: 'tools', role: 'group', 'aria-label': 'Jump'});
    this.grid = el('div', {class: 'lanes', tabindex: -1});
    this.detail = el('section', {class: 'detail', 'aria-live': 'polite', 'aria-label': 'The chosen cell'}, el('p', {class: 'note'}, `Choose a seat's ${a.unit} for what it did, was paid, heard and was sent.`));
    put(this.node, this.facts, a.tests.length ? el('p', {class: 'test'}, `TEST MODEL: ${a.tests.join(', ')}. A strategy in disguise; these are no results.`) : null,
      el('div', {class: 'stage'}, el('div', {class: 'still'}, this.picture, this.still), this.charts),
      el('div', {class: 'slide'}, el('span', {}, jump('To the start', '|◂', () => 0), ' ', jump('A step back', '◂', () => this.step - 1), ' ', this.play, ' ',
        jump('A step on', '▸', () => this.step + 1), ' ', jump('To the end', '▸|', () => this.about.steps)), this.slider, this.output),
      this.marks, this.grid, this.detail);
    this.head();
  }

  head() {
    const a = this.about;
    put(this.facts, el('span', {class: `status ${standing(a)}`}, standing(a)), el('span', {}, el('b', {}, a.rounds ?? 0), ' rounds, ', el('b', {}, a.steps ?? 0), ' steps'), a.cost && el('span', {}, 'cost ', el('b', {}, a.cost), ` in ${a.paid.calls} calls`),
      el('span', {}, `repeat ${a.repeat + 1}, seed ${a.seed}`), a.forked && el('span', {}, `forked ${a.forked}`), a.cause && el('span', {class: a.status === 'failed' ? 'failed' : ''}, `${a.where ? a.where + ': ' : ''}${a.cause}`),
      !a.private && a.status !== 'waiting' && el('span', {}, 'what one seat alone sees is shown after the end'));
    this.slider.max = a.steps ?? 0;
  }

  makeLanes() {
    const a = this.about;
    this.lanes = new Lanes(this.grid, {names: a.seats, unit: a.unit, lines: a.asks.length + a.speech, count: a.columns,
      load: (first, last) => api(`${this.path}/columns?first=${first}&last=${last}`), chosen: (column, place, data) => this.choose(column, place, data)});
    this.grid.addEventListener('scroll', () => { for (const other of this.ring) if (other !== this && other.lanes) other.grid.scrollLeft = this.grid.scrollLeft; }, {passive: true});
  }

  /** To the table after so many steps; those beside it follow to the end of the same round. */
  go(step) {
    this.leads = true;
    this.at(step);
    this.follow = this.about.status === 'open' && this.step === this.about.steps;
    this.draw();
  }

  at(step) {
    this.step = Math.max(0, Math.min(step, this.about.steps ?? 0));
    this.slider.value = this.step;
    this.slider.setAttribute('aria-valuetext', `after ${this.step} of ${this.about.steps} steps`);
  }

  async draw(round = 0) {
    if (this.drawing) { this.again = true; this.led = round; return; }
    this.drawing = true;
    try {
      const found = await api(`${this.path}/scene?step=${this.step}&round=${round}`), wanted = found.step;
      if (round) this.at(wanted);
      this.round = found.round;
      if (this.leads && !this.again) for (const other of this.ring) if (other !== this && other.lanes) wanted ? other.draw(found.round) : (other.at(0), other.draw());
      this.leads &&= this.again;
      this.output.textContent = `step ${wanted} of ${this.about.steps}, round ${found.round}`;
      paint(this.picture, found.picture, `The table after ${wanted} steps`);
      this.still.textContent = found.picture ? '' : found.why || 'This game draws no picture.';
      const column = this.about.unit === 'step' ? Math.max(1, wanted) : Math.max(1, found.round);
      this.lanes?.point(Math.min(column, this.about.columns));
      this.lines();
    } catch (error) { this.still.textContent = error.message; }
    await new Promise(done => setTimeout(done, this.playing ? 0 : SEEK / 4));
    this.drawing = false;
    if (this.again) { this.again = false; this.draw(this.led); }
  }

  run() {
    clearInterval(this.playing);
    this.playing = this.playing ? 0 : setInterval(() => this.step >= this.about.steps ? this.run() : this.go(this.step + 1), 500);
    if (this.playing && this.step >= this.about.steps) this.go(0);
    this.play.textContent = this.playing ? '❚❚' : '▶';
    this.play.setAttribute('aria-label', this.playing ? 'Pause' : 'Play');
  }

  async read() {
    try {
      this.course = await api(`${this.path}/course`);
      this.lines();
      const names = {defection: 'first defection', collapse: 'collapse', failure: 'first failure'};
      put(this.marks, ...Object.entries(this.course.marks).map(([kind, at]) =>
        el('button', {onclick: () => this.go(Math.min(at.step + 1, this.about.steps))}, `To the ${names[kind]}`, at.place >= 0 && ` (seat ${at.place + 1})`)));
    } catch (error) { put(this.charts, el('p', {class: 'note'}, error.message)); }
  }

  lines() {
    if (!this.course) return;
    put(this.charts, ...this.course.lines.map(line => chart({...line, x: this.course.rounds, now: this.round,
      rows: [...line.each.map((y, place) => ({name: `seat ${place + 1}`, y, color: `arm${place % 8}`})), {name: 'mean', y: line.y}]})));
  }

  /** What a seat did in a column. */
  choose(column, place, data) {
    if (!data) return;
    const cell = data.seats[place], others = this.about.seats.map((_, other) => other + 1).filter(other => other !== place + 1);
    if (data.steps.length) this.go(data.steps[1] + 1);
    const acts = cell.acts.map(act => el('li', {}, el('span', {class: act.kind in {move: 1, says: 1} ? '' : 'trouble'}, spoken(act)),
      act.kind === 'says' && el('span', {class: 'note'}, ` heard by ${others.length ? `seat${others.length > 1 ? 's' : ''} ${others.join(', ')}` : 'nobody'}`), act.p && shares(Object.entries(act.p))));
    const layers = cell.pay && `reward ${short(cell.pay.reward)}: the game ${short(cell.pay.game)}` + (cell.pay.spent ? `, spent ${short(cell.pay.spent)}` : '') + (cell.pay.fined ? `, fined ${short(cell.pay.fined)}` : '') + (cell.pay.moved ? `, moved to it ${short(cell.pay.moved)}` : '');
    const steps = [...new Set(cell.acts.filter(act => !act.forced).map(act => act.step))];
    const behind = el('div', {});
    put(this.detail, el('h2', {}, seat(place), `${this.about.seats[place]}, ${this.about.unit} ${column}`), el('ul', {}, ...acts), el('p', {}, layers || ''),
      el('p', {}, cell.deed == null ? '' : `${cell.deed > 0 ? '✓ cooperative' : '✕ not cooperative'}, by this game's own definition`),
      this.about.private ? el('div', {class: 'tools'}, ...steps.map(step => el('button', {class: 'seen', onclick: () => this.seen(behind, step, place)}, `What it saw and was sent${steps.length > 1 ? ` for ${asked(cell, step)}` : ''}`)))
        : el('p', {class: 'note'}, 'What it saw and was sent is shown after the end of the match.'), behind);
  }

  async seen(node, step, place) {
    put(node, el('p', {class: 'note'}, 'Reading ...'));
    try { put(node, ...behind(await api(`${this.path}/seen?step=${step}&seat=${place + 1}`))); } catch (error) { put(node, el('p', {class: 'error'}, error.message)); }
    node.querySelector('h3')?.focus();
  }

  listen() {
    this.line = new Line(`/live/${this.study}/${this.about.match}`, message => this.heard(message), on => this.changed(on), this.about.n);
  }

  async heard(message) {
    const row = message.rows.find(row => row.match === this.about.match);
    if (!row) return;
    const before = this.about;
    this.about = {...before, ...row, columns: message.match?.columns ?? before.columns, private: message.match?.private ?? before.private};
    if (before.status === 'waiting') return location.reload();
    this.head();
    const ended = this.about.private && !before.private;
    this.lanes.stale(ended ? 1 : message.match?.from ?? 1, this.about.columns);
    if (this.follow || before.status === 'open' && this.step === before.steps) { this.step = this.about.steps; this.slider.value = this.step; this.draw(); }
    if (before.status !== this.about.status) announce(`Match ${this.about.match}: ${this.about.status}`);
    clearTimeout(this.later);
    this.later = setTimeout(() => this.read(), 700);
  }
}

const asked = (cell, step) => `“${cell.acts.find(act => act.step === step)?.ask ?? 'its start'}”`;
const block = (name, text, kind = '') => el('div', {class: `sent ${kind}`}, el('h4', {}, name), el('pre', {}, text));

function shares(pairs) {
  return el('div', {}, ...pairs.map(([name, p]) => {
    const bar = el('i', {});
    bar.style.width = `${100 * p}%`;
    return el('div', {class: 'share'}, el('span', {}, name), el('span', {class: 'bar'}, bar), el('span', {class: 'number right'}, p.toFixed(3)));
  }));
}

/** What a seat was shown, what was sent for it, and what came back. */
function behind(found) {
  const calls = found.calls.flatMap((call, i) => [el('h3', {tabindex: -1}, `Sent to ${call.model}${found.calls.length > 1 ? `, call ${i + 1}` : ''}`), el('p', {class: 'note'}, call.settings),
    ...call.messages.map(message => block(message.role, message.text)), call.reply == null ? el('p', {class: 'trouble'}, `It came to nothing: ${call.trouble}`) : block('reply', call.reply, 'reply'),
    call.p.length ? shares(call.p) : null, el('p', {class: 'note'}, [call.effort, ...call.odd.filter(line => !call.p.length || !line.includes('.'))].join('; '))]);
  const answers = found.answers.filter(answer => answer.text || answer.why).map(answer => block(answer.kind === 'moved' ? 'its answer' : `${answer.kind}: ${answer.why}`, answer.text));
  return [el('h3', {tabindex: -1}, 'What it saw'), found.why ? el('p', {class: 'note'}, found.why) : block('facts', found.facts),
    ...found.heard.map(said => block(`heard from seat ${said.seat}`, said.text)), found.options.length ? el('p', {class: 'note'}, `It could answer: ${found.options.slice(0, 40).join(', ')}${found.options.length > 40 ? ' ...' : ''}`) : null,
    ...calls, ...(calls.length ? [] : answers), found.rules ? el('details', {}, el('summary', {}, 'The rules, as it read them'), block('rules', found.rules)) : null];
}
