// Search: an address, a mapping, a symbol, or a frame.
import { $, base, el, hex, pages, size } from './ui.js';
import { stripAt } from './strips.js';

const MOST = 60;

export class Search {
	// jump(page, end), showStrip(strip)
	constructor(model, view, { jump, showStrip, change }) {
		Object.assign(this, { model, view, jump, showStrip, change, input: $('#find-input'), list: $('#hits'), found: [], at: 0 });
		this.input.addEventListener('input', () => this.search());
		this.input.addEventListener('focus', () => this.search());
		this.input.addEventListener('blur', () => this.close());
		this.input.addEventListener('keydown', event => this.key(event));
	}
	close() {
		this.list.hidden = true;
		this.input.setAttribute('aria-expanded', 'false');
	}
	async search() {
		const text = this.input.value.trim(), frame = /^(?:pfn|frame)[:= ]\s*(?:0x)?([0-9a-f]{1,13})$/i.exec(text);
		if (!text) return this.close();
		const found = frame ? await this.frames(parseInt(frame[1], 16)) : [...this.addresses(text), ...this.mappings(text), ...this.names(text)];
		if (this.input.value.trim() !== text) return;
		this.found = found.length ? found : [{ text: 'Nothing found' }];
		this.at = 0;
		this.list.replaceChildren(...this.found.map((hit, i) => el('li', { role: 'option', id: `hit${i}`, class: hit.go ? undefined : 'none', 'aria-selected': String(!i && Boolean(hit.go)), onmousedown: event => {
			event.preventDefault();
			this.take(i);
		} }, el('span', { class: hit.mono && 'mono' }, hit.text), el('small', {}, hit.note ?? ''))));
		this.list.hidden = false;
		this.input.setAttribute('aria-expanded', 'true');
	}
	async frames(frame) {
		if (!this.model.known.frames) return [{ text: 'This page holds no frames' }];
		const frames = await this.view.loadFrames().catch(error => error), seen = new Set(), out = [];
		if (frames instanceof Error) return [{ text: `Frames cannot be shown: ${frames.message}` }];
		for (const { track, instant, index } of frames.pages(frame, 200)) {
			const page = track.pageOf(index), key = `${track.process} ${page}`;
			if (seen.has(key)) continue;
			seen.add(key);
			out.push({ text: hex(page), mono: true, note: `process ${this.model.processes[track.process].pid}, from ${this.view.nameOf(instant)}`, go: () => {
				this.change({ process: track.process, b: Math.max(instant, this.view.b) });
				this.jump(page, page + 1);
			} });
		}
		return out;
	}
	addresses(text) {
		const address = /^(?:0x)?([0-9a-f]{5,16})$/i.exec(text);
		if (!address) return [];
		const page = Math.floor(parseInt(address[1], 16) / this.model.pageSize), strip = stripAt(this.view.strips, page);
		if (strip) return [{ text: hex(page), mono: true, note: base(strip.title), go: () => this.jump(page, page + 1) }];
		const below = this.view.strips.filter(one => one.end <= page).pop();
		return [{ text: `Not mapped${below ? `: ${pages(page - below.end)} above ${base(below.title)}` : ''}` }];
	}
	mappings(text) {
		return this.view.strips.filter(strip => (strip.title || 'anonymous').toLowerCase().includes(text.toLowerCase())).slice(0, 40)
			.map(strip => ({ text: strip.title || `anonymous ${hex(strip.start)}`, note: `${strip.perms} ${pages(strip.size)}`, go: () => this.showStrip(strip) }));
	}
	names(text) {
		const low = text.toLowerCase();
		return this.model.namesOf(this.view.track.process).filter(name => name.symbol.toLowerCase().includes(low)).sort((a, b) => a.symbol.length - b.symbol.length).slice(0, MOST)
			.map(name => ({ text: name.symbol, mono: true, note: `${name.kind.replace('_', ' ')}${name.size ? `, ${size(name.size)}` : ''}, ${base(name.object)}`, go: () => this.jump(name.page, Math.ceil((name.address + Math.max(1, name.size)) / this.model.pageSize)) }));
	}
	take(i) {
		const hit = this.found[i];
		if (!hit?.go) return;
		this.close();
		this.input.blur();
		hit.go();
	}
	key(event) {
		if (event.key === 'Escape') {
			this.input.value = '';
			this.input.blur();
		} else if (event.key === 'Enter') this.take(this.at);
		else if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
			event.preventDefault();
			this.at = (this.at + (event.key === 'ArrowDown' ? 1 : -1) + this.found.length) % (this.found.length || 1);
			[...this.list.children].forEach((item, i) => item.setAttribute('aria-selected', String(i === this.at)));
			this.list.children[this.at]?.scrollIntoView({ block: 'nearest' });
			this.input.setAttribute('aria-activedescendant', `hit${this.at}`);
		}
	}
}
