// Draws the scene of any game: the marks of `web/picture.py`, each with the class of its colour, so that it follows light and dark.
import {svg, put} from './dom.js';

const DRAW = {
  rect: (look, x, y, width, height) => svg('rect', {...look, x, y, width, height}),
  circle: (look, cx, cy, r) => svg('circle', {...look, cx, cy, r}),
  text: (look, x, y, size, text) => svg('text', {...look, x, y: y + 0.36 * size, 'font-size': size}, text),  // the middle of capitals
};
const classOf = fill => fill ? `fill-${fill.replaceAll(' ', '-')}` : 'outline';

/** Paints a picture into an <svg class="scene">; without one it is hidden. `said` is what a screen reader says of it. */
export function paint(node, picture, said = 'The table as it is now; the facts say the same in words.') {
  node.toggleAttribute('hidden', !picture);
  if (!picture) return;
  node.setAttribute('viewBox', `0 0 ${picture.width} ${picture.height}`);
  node.setAttribute('role', 'img');
  node.setAttribute('aria-label', said);
  put(node, ...picture.marks.map(([kind, fill, ...numbers]) => DRAW[kind]({class: classOf(fill)}, ...numbers)));
}
