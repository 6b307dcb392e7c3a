// For the inspector: what memory held at A and holds at B, as far as it came with the page.  All of it is text.
import { el, number, size } from './ui.js';
import { comparedThrough, valuesIn } from './contents.js';

const BYTES = 8, LINES_MOST = 48; // bytes of a line; lines of a page or a range

export class Held {
	constructor(model, view) { Object.assign(this, { model, view }); }
	get process() { return this.view.track.process; }

	// Variables in [from, to), pages; null: there are none.
	values(from, to, most) {
		const { view, model } = this, found = view.a < view.b ? valuesIn(model, this.process, view.a, view.b, from, to) : [];
		if (!found.length) return null;
		const more = found.length > most ? `and ${number(found.length - most)} more` : '', left = model.contents.valuesLeftOut ? 'not all that changed are in this page' : '';
		return el('section', {}, el('h3', {}, 'Values at A and B'), el('ul', { class: 'values' }, found.slice(0, most).map(value => el('li', { title: `${value.type}${value.type && ', '}0x${value.address.toString(16)}, ${value.object}` },
			el('span', { class: 'mono' }, value.name), el('small', {}, value.type), el('div', { class: 'mono' }, el('del', {}, value.before), ' → ', el('ins', {}, value.now))))),
		more || left ? el('p', { class: 'note' }, [more, left].filter(Boolean).join('; ')) : null);
	}
	// Bytes in [from, to), pages, when they have come; still(): whether they are wanted then.
	bytes(from, to, still) {
		const { view, model } = this;
		if (!model.contents.wanted || view.a >= view.b) return null;
		const out = el('section', {}, el('h3', {}, 'Bytes at A and B'), el('p', {}, 'reading …'));
		view.loadContents().then(contents => still() && out.replaceChildren(el('h3', {}, 'Bytes at A and B'), ...this.lines(contents, from, to)), error => { out.lastChild.textContent = error.message; });
		return out;
	}
	lines(contents, from, to) {
		const { view, model } = this, changes = contents.changes(this.process, view.a, view.b, from, to, model.pageSize), rows = [];
		let count = 0, lines = 0;
		for (const [page, { before, now }] of changes)
			for (let at = 0; at < now.length; at += BYTES) {
				const changed = now.subarray(at, at + BYTES).reduce((sum, byte, i) => sum + (byte !== before[at + i]), 0);
				count += changed;
				if (changed && ++lines <= LINES_MOST) rows.push(this.line(page * model.pageSize + at, to - from > 1 ? 5 : 3, before.subarray(at, at + BYTES), now.subarray(at, at + BYTES)));
			}
		const notes = [count ? `${number(count)} bytes differ${lines > LINES_MOST ? `, the first ${LINES_MOST} lines` : ''}` : '', comparedThrough(model, this.process, view.a, view.b) ? '' : 'of some instants in between it is not known what it held',
			model.contents.bytesLeftOut ? `${size(model.contents.bytesLeftOut)} that changed are not in this page` : '', count ? '' : 'no byte is known to differ'].filter(Boolean);
		return [rows.length ? el('div', { class: 'bytes mono' }, rows) : null, el('p', { class: 'note' }, notes.join('; '))].filter(Boolean);
	}
	// digits: so many of the address, the last ones.
	line(address, digits, before, now) {
		const hexOf = byte => byte < 0 ? '··' : byte.toString(16).padStart(2, '0'), letter = byte => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.';
		const side = (tag, bytes, others) => el('div', {}, [...bytes].map((byte, i) => [el(byte === others[i] ? 'span' : tag, {}, hexOf(byte)), ' ']), el('span', { class: 'letters' }, [...bytes].map(letter).join('')));
		return [el('span', { class: 'at', title: `0x${address.toString(16)}` }, address.toString(16).slice(-digits)), el('div', {}, side('del', before, now), side('ins', now, before))];
	}
}
