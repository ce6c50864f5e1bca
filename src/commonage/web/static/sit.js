// A seat. The server sends what to show, in slots; the page answers the question that is open. All words of others are text nodes.
import {byId, el, put, Line} from './dom.js';
import {paint} from './scene.js';

const KEYS = {  // what a key may mean, whichever of it the question has
  ArrowUp: ['up', 'north', 'forward'], ArrowDown: ['down', 'south', 'back'], ArrowLeft: ['left', 'west'], ArrowRight: ['right', 'east'],
  q: ['turn left'], e: ['turn right'], '.': ['stay', 'wait'], ' ': ['interact', 'zap'], c: ['clean'],
};
const SIGNS = {ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', ' ': 'space'};
const PLACES = {ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right', '.': 'middle', q: 'before', e: 'after'};

const store = sessionStorage, own = name => `${location.pathname} ${name}`;
let room = {}, now = {}, drawn = '', due = 0, warned = false;

const line = new Line(`${location.pathname}/line`, heard, changed);

function changed(up, event) {
  byId('line').textContent = up ? '' : line.over ? gone(event) : 'The connection is lost. Your seat is kept for a while; trying again ...';
  if (up && store.getItem(own('name')) !== null) join();
}
const gone = event => event.code === 4001 ? 'This seat was opened in another window, which goes on with it.' :
  'The server closed the line. Load the page again to come back.';

function heard(message) {
  if (message.kind === 'refused') return refuse(message.why);
  ({room: showRoom, past: showPast, now: showNow})[message.slot](message);
}

function join() {
  line.say({join: store.getItem(own('name'))});
}
byId('join').onsubmit = event => {
  event.preventDefault();
  store.setItem(own('name'), byId('name').value);
  join();
};

function showRoom(message) {
  room = message;
  byId('join').hidden = room.joined;
  lobby();
}

function lobby() {
  const waits = room.joined && !now.view && now.kind !== 'over';
  byId('lobby').hidden = !waits;
  const names = (room.others ?? []).map(one => el('li', {}, `${one.name || 'somebody'}${one.here ? '' : ' (not here)'}`));
  put(byId('lobby'), el('p', {}, 'You have a seat. It begins when everybody is there.'), names.length && el('ul', {}, ...names));
}

function showPast(result) {
  byId('past').hidden = false;
  const label = i => `seat ${i + 1}${result.who ? ` (${result.who[i]})` : ''}`;
  const mine = result.payoffs[result.you - 1];
  const rows = result.payoffs.map((payoff, i) => el('tr', i + 1 === result.you ? {class: 'you'} : {},
    el('th', {scope: 'row'}, label(i), i + 1 === result.you && ' - you'), el('td', {class: 'number'}, number(payoff))));
  put(byId('past'), el('p', {}, result.finished ? `Match ${result.match} of ${result.of} is over. You have ${number(mine)}.`
    : `Match ${result.match} of ${result.of} was broken off; until then you had ${number(mine)}.`), el('table', {}, ...rows));
}
const number = payoff => String(Math.round(payoff * 100) / 100);

function showNow(message) {
  const before = now;
  now = message.kind === 'ask' || message.kind === 'over' ? message : {...message, view: before.view, match: before.match, of: before.of};
  byId('table').hidden = !now.view;
  lobby();
  ({ask: showQuestion, wait: showWait, replaced: showReplaced, over: showOver})[now.kind]();
}

function showQuestion() {
  const view = now.view, fresh = view.step === 0 && view.attempt === 0;
  if (store.getItem(own('answered')) === now.id) return line.say({id: now.id, answer: store.getItem(own('answer'))});  // it was lost on the way
  byId('where').textContent = `Match ${now.match} of ${now.of} · round ${view.round}${now.who ? '' : ` · you are seat ${view.seat}`}`;
  if (now.who) byId('where').append(` · ${now.who.map((who, i) => i + 1 === view.seat ? 'you' : `seat ${i + 1}: ${who}`).join(', ')}`);
  if (byId('facts').textContent !== view.facts) byId('facts').textContent = view.facts;
  byId('facts').setAttribute('aria-live', now.real_time ? 'off' : 'polite');
  if (byId('rules').textContent !== view.rules) byId('rules').textContent = view.rules;
  if (fresh && drawn !== now.match) byId('rules-of').open = true;
  if (fresh) drawn = now.match;
  paint(byId('scene'), now.picture);
  talk([...view.heard, ...now.said.map(said => ({...said, you: true}))].sort((a, b) => a.round - b.round));
  ask(view);
  due = now.left === null || now.real_time ? 0 : performance.now() + 1000 * now.left;
  warned = false;
  tick();
}

function talk(said) {
  byId('chat').hidden = !said.length;
  const rows = said.map(one => el('li', {}, el('b', one.you ? {class: 'you'} : {}, one.you ? 'you' : `seat ${one.seat}`), one.text));
  if (rows.length !== byId('talk').children.length) { put(byId('talk'), ...rows); byId('talk').scrollTop = 1e6; }
}

let asked = '';
function ask(view) {
  const what = JSON.stringify([view.question, view.options, view.amount]), title = `${capital(view.question.name)}?`;
  refuse(view.problem);
  choose('');
  byId('question').setAttribute('aria-busy', false);
  byId('asked').textContent = title;
  if (what !== asked) put(byId('ways'), ...(view.amount ? amount(view) : options(view)));
  if (byId('amount')) byId('amount').value = '';
  asked = what;
  byId('table').classList.toggle('moving', Boolean(byId('ways').querySelector('.pad')));
  if (!now.real_time) { document.title = 'Your turn - commonage'; aloud(`Your turn: ${title}`); }
  if (document.activeElement === document.body || !document.activeElement.isConnected)
    (byId('ways').querySelector('input, textarea') ?? byId('asked')).focus({preventScroll: true});
}

const capital = text => text.charAt(0).toUpperCase() + text.slice(1);

function amount({amount: [low, high], question: {unit}}) {
  const field = el('input', {id: 'amount', type: 'number', inputmode: 'numeric', min: low, max: high, step: 1, required: true, autocomplete: 'off'});
  return [el('div', {class: 'row'}, field, el('button', {class: 'first'}, 'Answer')),
    el('label', {for: 'amount', class: 'note'}, `${low} to ${high} ${unit}`)];
}

function options({options}) {
  const worded = now.words;
  const plain = options.filter(option => option !== worded), moving = plain.filter(option => PLACES[keyOf(option)]);
  const pad = moving.length > 3 && el('div', {class: 'pad'}, ...moving.map(button));
  const rest = pad ? plain.filter(option => !moving.includes(option)) : plain;
  const speak = worded && [el('label', {for: 'words', class: 'unseen'}, 'What you say to the others'),
    el('div', {class: 'row'}, el('textarea', {id: 'words', maxlength: 2000, placeholder: 'What you say to the others'}), el('button', {class: 'first'}, 'Say it'))];
  return [...(speak || []), pad, ...rest.map(button)];
}

function button(option, place) {
  const key = keyOf(option), digit = !key && now.view.options.length < 10 && !now.view.question.speech ? String(now.view.options.indexOf(option) + 1) : '';
  const shown = SIGNS[key] ?? key ?? digit;
  return el('button', {type: 'button', class: PLACES[key] ?? '', 'data-option': option, 'aria-keyshortcuts': key ?? (digit || null),
    onclick: () => answer(option)}, option, shown && el('kbd', {'aria-hidden': 'true'}, shown));
}
const keyOf = option => Object.keys(KEYS).find(key => KEYS[key].includes(option));

byId('question').onsubmit = event => {
  event.preventDefault();
  const words = byId('words')?.value.replace(/\s+/g, ' ').trim();
  if (byId('amount')) answer(byId('amount').value);
  else if (words) answer(`${now.words}: ${words}`);
};

document.onkeydown = event => {
  const typing = event.target.matches?.('input, textarea, summary') || (event.key === ' ' && event.target.matches?.('button'));
  if (now.kind !== 'ask' || typing || event.ctrlKey || event.metaKey || event.altKey || (event.repeat && !now.real_time)) return;
  const ways = now.view.options, named = (KEYS[event.key] ?? []).find(option => ways.includes(option));
  const counted = !now.view.question.speech && ways.length < 10 && /^[1-9]$/.test(event.key) ? ways[event.key - 1] : undefined;
  if (named ?? counted) { event.preventDefault(); answer(named ?? counted); }
};

let sent = '';
function answer(text) {
  const what = `${now.id} ${text}`;
  if (now.kind !== 'ask' || (now.real_time && what === sent)) return;  // a key that is held down is one answer a step
  sent = what;
  refuse('');
  choose(text);
  store.setItem(own('answered'), now.real_time ? '' : now.id);
  store.setItem(own('answer'), text);
  line.say({id: now.id, answer: text});
  if (byId('words')) byId('words').value = '';
}

function choose(option) {
  for (const one of byId('ways').querySelectorAll('button[data-option]')) one.classList.toggle('chosen', one.dataset.option === option);
}

function refuse(why) {
  byId('sorry').textContent = why ? `Sorry, ${why}.` : '';
  if (why) store.removeItem(own('answered'));
}

function settle(title, what) {
  due = 0;
  tick();
  document.title = title;
  byId('asked').textContent = what;
  byId('question').setAttribute('aria-busy', true);
}

function clear() {
  asked = '';
  put(byId('ways'));
}

function showWait() {
  settle('Waiting - commonage', now.text ? 'Waiting for the others ...' : 'Waiting for the next match ...');
  refuse('');
}

function showReplaced() {
  clear();
  settle('You were replaced - commonage', 'Somebody else plays on in your seat.');
  refuse(now.why);
}

function showOver() {
  clear();
  settle('The end - commonage', '');
  byId('where').textContent = 'That was all. Thank you!';
  aloud('That was all. Thank you!');
  line.over = true;
}

function tick() {
  const left = Math.ceil((due - performance.now()) / 1000);
  byId('clock').hidden = !due;
  byId('clock').textContent = due ? `${Math.max(left, 0)} s` : '';
  byId('clock').classList.toggle('low', left <= 10);
  if (due && left <= 10 && !warned) { warned = true; aloud(`${left} seconds left`); }
}
setInterval(tick, 250);

function aloud(text) { byId('aloud').textContent = text; }
