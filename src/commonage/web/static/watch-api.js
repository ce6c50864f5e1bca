// What the pages ask the server.
import {byId} from './dom.js';

/** What the server says of a path under /api. Throws what is wrong, in words. */
export async function api(path) {
  const [place, query] = path.split('?');
  const answer = await fetch(['/api', ...place.split('/').filter(Boolean).map(encodeURIComponent)].join('/') + (query ? `?${query}` : ''));
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.error);
  return told;
}

/** Says something to those who listen instead of looking. */
export const announce = text => { byId('said').textContent = text; };

/** How a match stands, in a word. */
export const standing = row => row.status === 'finished' && row.ended ? 'collapsed' : row.status;
