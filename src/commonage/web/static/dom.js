// Elements by hand: what comes from others goes into text nodes only, never into markup.

/** el('p', {class: 'note', onclick: f}, 'text', child): an element; children that are no elements become text. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for pictures. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, '');
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter(child => child != null && child !== false).map(child => child instanceof Node ? child : String(child)));
  return node;
}

export const byId = id => document.getElementById(id);

/** Elements in place of what an element holds. */
export function put(node, ...children) {
  node.replaceChildren(...children.filter(child => child != null && child !== false));
}

/** A websocket that comes back by itself. Every message has a number `n`; after a break it goes on behind the last one seen. */
export class Line {
  constructor(path, heard, changed = () => {}, last = 0) {
    Object.assign(this, {path, heard, changed, last, wait: 250, over: false});
    this.open();
  }

  open() {
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.socket = new WebSocket(`${scheme}//${location.host}${this.path}?after=${this.last}`);
    this.socket.onopen = () => { this.wait = 250; this.changed(true); };
    this.socket.onmessage = event => {
      const message = JSON.parse(event.data);
      if (message.n) this.last = message.n;
      this.heard(message);
    };
    this.socket.onclose = event => {
      this.over ||= event.code >= 4000 || event.code === 1008;
      this.changed(false, event);
      if (!this.over) setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(2 * this.wait, 4000);
    };
  }

  /** Sends; false where the line is down. */
  say(message) {
    const up = this.socket.readyState === WebSocket.OPEN;
    if (up) this.socket.send(JSON.stringify(message));
    return up;
  }
}
