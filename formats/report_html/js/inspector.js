// What is selected: a page, a range, a mapping; or, if nothing is, the process and the file.
import { $, duration, el, hex, number, pages, paper, size, swatch } from './ui.js';
import { countIn } from './classes.js';
import { countsOf } from './strips.js';

const pair = (name, value) => value || value === 0 ? [el('dt', {}, name), el('dd', {}, value)] : [];
const section = (title, ...children) => el('section', {}, title ? el('h3', {}, title) : null, ...children);

const NAMES_SHOWN = 10;

export class Inspector {
	constructor(model, view) { Object.assign(this, { model, view, frames: null, drawn: 0 }); }

	draw() {
		const host = $('#inspector'), { selected } = this.view;
		this.drawn++;
		const parts = !selected ? this.process() : selected.page === undefined ? this.strip(selected.strip) : this.range(selected);
		host.replaceChildren(...parts.filter(Boolean));
		host.scrollTop = 0;
	}
	// ---- nothing
	process() {
		const { model, view } = this, process = model.processes[view.process], instant = model.instants[view.b];
		return [section('', el('h2', {}, process.title), el('div', { class: 'note' }, process.exe), el('dl', {}, pair('parent', process.ppid), pair('command', process.cmdline.join(' ')), pair('instants', `${process.first + 1} to ${process.last + 1}`))),
			section('Instant B', el('dl', {}, pair('label', instant.label), pair('taken', new Date(instant.taken).toISOString().replace('T', ' ').replace('Z', ' UTC')), pair('why', instant.reason), pair('stood for', instant.pause ? `${(instant.pause / 1000).toFixed(2)} ms` : 'it ran'))),
			this.copiedNames(),
			section('File', el('dl', {}, pair('name', model.title), pair('host', model.host), pair('kernel', `${model.kernel} ${model.arch}`), pair('page', size(model.pageSize)), pair('snapshots', number(model.places.reduce((sum, places) => sum + places.size, 0))), pair('over', duration(model.instants[model.instants.length - 1].ms)), pair('not known', this.unknown() || 'all is known'), model.namesLeftOut ? pair('names', 'some are left out') : []))];
	}
	// Variables on what was copied or written: those of the program itself first.
	copiedNames() {
		const { model, view } = this, { track } = view, process = model.processes[track.process], { copied, child, written } = model.class;
		const lost = (page, index, count) => view.classes.subarray(index, index + count).some(c => c === copied || c === child || c === written);
		const lies = name => {
			let found = false;
			track.pieces(name.page, Math.ceil((name.address + Math.max(1, name.size)) / model.pageSize), (...piece) => { found ||= lost(...piece); });
			return found;
		};
		const names = view.mode === 'diff' || view.mode === 'cow' ? model.names.filter(name => name.process === track.process && lies(name)) : [];
		if (!names.length) return null;
		names.sort((a, b) => (b.object === process.exe) - (a.object === process.exe));
		return section('Variables on what was copied', this.list(names.slice(0, NAMES_SHOWN)), names.length > NAMES_SHOWN ? el('p', { class: 'note' }, `and ${number(names.length - NAMES_SHOWN)} more: see Copy-on-write or Changes`) : null);
	}
	unknown() {
		const { known } = this.model, words = { pfn: 'page frames: whether a page was copied', exclusive: 'who shares', zero: 'the zero page', huge: 'huge pages' };
		return Object.keys(words).filter(key => !known[key]).map(key => words[key]).join('; ');
	}
	// ---- a mapping
	strip(strip) {
		const counts = countsOf(this.model, this.view, strip);
		return [section('', el('h2', {}, strip.title || 'anonymous'), el('dl', {}, pair('from', hex(strip.start)), pair('to', hex(strip.end)), pair('size', pages(strip.size))), this.bar(counts), this.counts(counts)),
			section(strip.vmas.length > 1 ? `${strip.vmas.length} mappings` : 'Mapping', strip.vmas.slice(0, 12).map(vma => el('dl', {}, pair(hex(vma.start), `${vma.perms} ${pages(vma.end - vma.start)}`), pair('offset', vma.name.startsWith('/') ? `0x${vma.offset.toString(16)}` : ''), pair('', vma.deleted ? 'the file is deleted' : '')))),
			this.names(strip.start, strip.end)];
	}
	bar(counts) { return el('div', { class: 'mini' }, counts.reduce((out, count, c) => count && c ? [...out, el('i', { style: { flex: String(count), background: paper(c) } })] : out, [])); }
	counts(counts) {
		return el('dl', {}, this.model.classes.map((c, i) => counts[i] ? [el('dt', {}, swatch(i), c.words), el('dd', {}, pages(counts[i]))] : []));
	}
	names(from, to) {
		const names = this.model.namesIn(this.view.track.process, from, to, 60);
		if (!names.length) return null;
		return section('Names here', this.list(names));
	}
	list(names) {
		return el('ul', { class: 'names' }, names.map(name => el('li', { title: `${name.symbol}, ${name.object}` }, el('span', {}, name.symbol), el('small', {}, name.size ? size(name.size) : ''))));
	}
	// ---- pages
	range({ strip, page, end }) {
		const { view } = this, index = view.track.indexOf(page), vma = strip.vmas.find(one => page >= one.start && page < one.end) ?? strip.vmas[0];
		const counts = new Float64Array(this.model.classes.length);
		countIn(view, counts, page, end);
		return [section('', el('h2', { class: 'mono' }, hex(page)), el('div', { class: 'note' }, strip.title || 'anonymous'), el('dl', {}, pair('pages', end - page > 1 ? `${number(end - page)}, ${pages(end - page)}` : ''), pair('in the mapping', `+${pages(page - vma.start)}`), pair('in the file', vma.name.startsWith('/') ? `0x${(vma.offset + (page - vma.start) * this.model.pageSize).toString(16)}` : ''), pair('permissions', vma.perms)), this.bar(counts), this.counts(counts)),
			index >= 0 ? this.history(index) : section('', el('p', {}, 'Never resident.')), index >= 0 ? this.frame(index) : null, this.verdict(page), this.names(page, end)];
	}
	history(index) {
		const { model, view } = this, values = view.track.history(index), quiet = model.rules.quiet;
		return section('This page over time', el('div', { class: 'history', role: 'img', 'aria-label': `${model.states[values[view.a] & 15]} at A, ${model.states[values[view.b] & 15]} at B` }, [...values].map((value, k) => el('i', { class: [value & 16 && 'moved', (k === view.a || k === view.b) && 'chosen'].filter(Boolean).join(' '), style: { background: view.track.present[k] ? paper(quiet[value & 15]) : 'transparent' }, title: `${view.nameOf(k)}: ${model.states[value & 15]}${value & 16 ? ', another frame' : ''}` }))),
			el('dl', {}, pair('at A', model.states[values[view.a] & 15]), pair('at B', model.states[values[view.b] & 15])));
	}
	frame(index) {
		const { model, view } = this, out = section('Frame', el('dl', {}, pair('', model.known.frames ? 'reading …' : 'left out, or not known'))), drawn = this.drawn;
		if (model.known.frames) view.loadFrames().then(frames => {
			if (this.drawn !== drawn) return;
			const told = k => {
				const frame = frames.of(view.track, index, k), resident = frame && view.track.valuesAt(k)[index];
				return resident ? `pfn ${frame.toString(16)}, at 0x${(BigInt(frame) * BigInt(model.pageSize)).toString(16)}` : 'none';
			};
			out.replaceChildren(el('h3', {}, 'Frame'), el('dl', { class: 'mono' }, pair('A', told(view.a)), pair('B', told(view.b))));
		}, error => out.append(error.message));
		return out;
	}
	verdict(page) {
		const { model, view } = this, told = model.forksOf(view.process).filter(fork => fork.present[view.b]).map(fork => {
			const index = fork.indexOf(page), value = index < 0 ? 0 : fork.valuesAt(view.b)[index];
			return value ? pair(`${model.processes[fork.process].pid} → ${model.processes[fork.child].pid}`, model.verdicts[value - 1].name.replace(/_/g, ' ')) : [];
		});
		return told.flat().length ? section('Since the fork', el('dl', {}, told)) : null;
	}
}
