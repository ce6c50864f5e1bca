// Lines over rounds, with floors and ceilings. {name, unit, x, rows: [{name, y, low, high, color}], mean, ends, now}.
import {svg} from './dom.js';

const WIDE = 300, HIGH = 140, LEFT = 38, RIGHT = 8, TOP = 22, BOTTOM = 18;

/** A number as short as it can be said. */
export const short = value => Math.abs(value) >= 10000 ? value.toExponential(1) : String(Math.round(value * 100) / 100);
export const said = (value, unit) => unit === 'share' ? `${Math.round(value * 100)} %` : short(value);

/** A chart as SVG; `now` is the x of a line across it. */
export function chart({name, unit, x, rows, ends = [], now}) {
  const values = [...rows.flatMap(row => [...row.y, ...(row.low ?? []), ...(row.high ?? [])]), ...ends.map(end => end.value)].filter(Number.isFinite);
  const least = Math.min(0, ...rows.flatMap(row => row.y).filter(Number.isFinite), ...ends.map(end => end.value));  // an interval may reach below
  let low = least, high = Math.max(...values, unit === 'share' ? 1 : low + 1e-9);
  if (high <= low) high = low + 1;
  const first = Math.min(...x), last = Math.max(...x, first + 1);
  const atX = value => LEFT + (value - first) / (last - first) * (WIDE - LEFT - RIGHT);
  const atY = value => HIGH - BOTTOM - (value - low) / (high - low) * (HIGH - TOP - BOTTOM);
  const path = (xs, ys) => {
    let pen = 'M';
    return ys.map((y, i) => { if (y == null) { pen = 'M'; return ''; } const at = `${pen}${atX(xs[i]).toFixed(1)} ${atY(y).toFixed(1)}`; pen = 'L'; return at; }).join('');
  };
  const band = row => row.low && svg('path', {class: `band fill-${row.color}`,
    d: path([...(row.x ?? x), ...[...(row.x ?? x)].reverse()], [...row.high, ...[...row.low].reverse().map(value => Math.max(value, low))]) + 'Z'});
  const label = [`${name}:`, ...rows.map(row => `${row.name} ends at ${said(row.y.at(-1) ?? 0, unit)};`), ...ends.map(end => `${end.side} ${said(end.value, unit)};`)].join(' ');
  let above = HIGH;
  const marks = [...ends].sort((a, b) => a.value - b.value).map(end => {
    const y = atY(end.value), text = Math.min(y - 3, above - 11);
    above = text;
    return [svg('path', {class: 'end', d: `M${LEFT} ${y}H${WIDE - RIGHT}`}), svg('text', {x: WIDE - RIGHT, y: text, 'text-anchor': 'end'},
      `${end.side} ${said(end.value, unit)}`, svg('title', {}, `${end.label}: ${end.why}`))];
  });
  return svg('svg', {class: 'chart', viewBox: `0 0 ${WIDE} ${HIGH}`, role: 'img', 'aria-label': label},
    svg('text', {class: 'title', x: 0, y: 12}, name),
    svg('path', {class: 'axis', d: `M${LEFT} ${TOP}V${HIGH - BOTTOM}H${WIDE - RIGHT}`}),
    svg('text', {x: LEFT - 5, y: atY(high) + 4, 'text-anchor': 'end'}, said(high, unit)),
    svg('text', {x: LEFT - 5, y: atY(low) + 3, 'text-anchor': 'end'}, said(low, unit)),
    svg('text', {x: LEFT, y: HIGH - 4}, short(first)), svg('text', {x: WIDE - RIGHT, y: HIGH - 4, 'text-anchor': 'end'}, short(last)),
    ...marks.flat(), ...rows.map(band).filter(Boolean),
    now != null && now >= first && svg('path', {class: 'now', d: `M${atX(Math.min(now, last))} ${TOP}V${HIGH - BOTTOM}`}),
    ...rows.map(row => row.y.length === 1 && row.y[0] != null
      ? svg('circle', {class: `fill-${row.color ?? 'ink'}`, cx: atX((row.x ?? x)[0]), cy: atY(row.y[0]), r: 3})
      : svg('path', {class: row.color ? `stroke-${row.color}` : 'mean', d: path(row.x ?? x, row.y)})));
}
