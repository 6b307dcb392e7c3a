// Small things that every view uses: elements, numbers, colours.
export const $ = selector => document.querySelector(selector);

// Text goes in as text, never as markup: names come from the target.
export function el(tag, properties = {}, ...children) {
	const element = document.createElement(tag);
	for (const [key, value] of Object.entries(properties)) {
		if (value === undefined || value === null || value === false) continue;
		if (key === 'class') element.className = value;
		else if (key === 'style') Object.assign(element.style, value);
		else if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
		else element.setAttribute(key, value === true ? '' : value);
	}
	element.append(...children.flat(9).filter(child => child !== null && child !== undefined && child !== false).map(child => typeof child === 'number' ? String(child) : child));
	return element;
}

let pageSize = 4096;
export function setPageSize(bytes) { pageSize = bytes; }
export const hex = page => '0x' + (page * pageSize).toString(16).padStart(12, '0');
export const base = path => path.startsWith('/') ? path.slice(path.lastIndexOf('/') + 1) : path || 'anonymous';
export const cutText = (text, most) => text.length > most ? [...text.slice(0, most)].slice(0, most - 1).join('') + '…' : text;
export const number = value => value.toLocaleString('en-US');

export function size(bytes) {
	const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
	let unit = 0;
	for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
	const digits = !unit || bytes >= 100 || !(bytes % 1) ? 0 : bytes < 10 ? 2 : 1;
	return `${bytes.toFixed(digits)} ${units[unit]}`;
}
export const pages = count => size(count * pageSize);
export function percent(share) {
	const value = share * 100;
	return (value === 0 || value >= 99.95 ? value.toFixed(0) : value < 0.1 ? '< 0.1' : value.toFixed(1)) + ' %';
}
// To a tenth of a second, UTC; with its day if all beside it are not of that.
export function clock(ms, ...beside) {
	const [[day, time], ...days] = [ms, ...beside].map(each => new Date(each).toISOString().split('T'));
	return `${days.every(([other]) => other === day) ? '' : `${day} `}${time.slice(0, 10)}`;
}
export function duration(ms) {
	if (!ms) return '0';
	if (ms < 1000) return `${ms.toFixed(0)} ms`;
	return ms < 120000 ? `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s` : `${(ms / 60000).toFixed(0)} min`;
}
export const stoodWords = ({ pause, held }) => pause ? `frozen ${(pause / 1000).toFixed(2)} ms` : held ? 'stopped by its tracer (a debugger, or vmsnap)' : 'it ran';

// ---- colours: the style sheet has them, by the names of classes
export const color = { css: [], rgb: [], packed: new Uint32Array(32) };
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export function readColors(classes) {
	for (const name of ['bg', 'panel', 'line', 'text', 'dim', 'faint', 'accent', 'sans', 'mono']) color[name] = css(`--${name}`);
	classes.forEach(({ name }, i) => {
		const value = css(`--${name.replace('_', '-')}`), rgb = [1, 3, 5].map(at => parseInt(value.slice(at, at + 2), 16));
		color.css[i] = value;
		color.rgb[i] = rgb;
		color.packed[i] = 0xff000000 | rgb[2] << 16 | rgb[1] << 8 | rgb[0];
		if (name === 'other') color.other = i;
		if (name === 'private') color.private = i;
		if (name === 'unread') color.unread = i;
	});
}
// Chequered, here as on the map: what changed otherwise, the least of what happens; and what nobody could read.
export const mixedWith = number => number === color.other ? color.private : number === color.unread ? 0 : number;
export function paper(number) {
	const other = mixedWith(number);
	if (number === other) return color.css[number];
	return `repeating-conic-gradient(${color.css[number]} 0 25%, ${color.css[other]} 0 50%) 0 0 / 4px 4px`;
}
export function ink(number) {
	const [r, g, b] = color.rgb[number];
	return r * 0.3 + g * 0.59 + b * 0.11 > 135 ? '#10151b' : '#fff';
}
export const swatch = (number, letter = '') => el('span', { class: 'swatch', 'aria-hidden': 'true', style: { background: paper(number), color: ink(number) } }, letter);

// ---- canvases
export const font = (px, weight = 400, mono = false) => `${weight} ${px}px ${mono ? color.mono : color.sans}`;
export function prepare(canvas, width, height) {
	const scale = devicePixelRatio || 1, x = canvas.getContext('2d');
	canvas.width = Math.round(width * scale);
	canvas.height = Math.round(height * scale);
	x.setTransform(scale, 0, 0, scale, 0, 0);
	return x;
}
export function cut(x, text, width) {
	if (x.measureText(text).width <= width) return text;
	while (text.length > 1 && x.measureText(text + '…').width > width) text = text.slice(0, -1);
	return text + '…';
}

// ---- what is said beside the pointer, and to who does not see
let tip = null;
export function showTip(event, ...children) {
	if (!tip) document.body.append(tip = el('div', { class: 'tip', hidden: true }));
	tip.hidden = !children.length;
	if (tip.hidden) return;
	tip.replaceChildren(...children);
	const box = tip.getBoundingClientRect();
	const left = event.clientX + 16 + box.width > innerWidth - 8 ? event.clientX - box.width - 14 : event.clientX + 16;
	const top = event.clientY + 16 + box.height > innerHeight - 8 ? event.clientY - box.height - 14 : event.clientY + 16;
	tip.style.left = `${Math.max(4, left)}px`;
	tip.style.top = `${Math.max(4, top)}px`;
}
export const say = text => { $('#say').textContent = text; };
export const link = (text, action) => el('a', { class: 'go', tabindex: 0, role: 'button', onclick: action, onkeydown: event => event.key === 'Enter' && action() }, text);
