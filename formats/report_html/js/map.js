// The address space: each mapping a strip of cells, each cell a small bar of what its pages are.
import { $, base, color, cut, el, font, hex, ink, number, pages, prepare, say, showTip, size, swatch } from './ui.js';
import { Cells } from './cells.js';
import { Layout, ROW } from './layout.js';
import { MiniMap } from './minimap.js';
import { listenToPinch } from './touch.js';
import { wordsOf } from './classes.js';
import { drawLit } from './code.js';
import { countsOf, stripAt } from './strips.js';

const ADDRESS = 18, NAME = 130, MINI = 46, BAR = 14, PAGES_MOST = 1 << 22;

export class PageMap {
	constructor(model, view, pick) {
		Object.assign(this, { model, view, pick, strips: [], layout: new Layout(), cells: new Cells(model), mini: new MiniMap(this) });
		Object.assign(this, { canvas: $('#cells'), box: $('#scroll'), tall: $('#tall'), host: $('#map') });
		Object.assign(this, { pages: 16, across: 64, cell: 8, width: 0, height: 0, left: 300, automatic: true, at: null, over: null, frame: 0 });
		this.listen();
	}

	// ---- sizes
	measure() {
		this.width = this.host.clientWidth;
		this.height = this.host.clientHeight;
		this.left = this.width < 620 ? 118 : this.width < 900 ? 250 : 318;
		const room = Math.max(64, this.width - this.left - MINI - BAR - 18);
		this.across = room >= 1300 ? 256 : room >= 560 ? 128 : 64;
		if (this.pages === 1) this.across /= 2;
		this.cell = Math.max(3, room / this.across);
		if (this.pages === 1) this.cell = Math.min(16, Math.floor(this.cell));
	}
	// Whether names have room beside the strips.
	besides() { return this.left > 200; }
	// The finest scale at which what is long takes about a screen; the short ones are a row each anyway.
	fitScale() {
		for (this.pages = 1; this.pages < PAGES_MOST; this.pages *= 2) {
			this.measure();
			let extra = 0;
			for (const strip of this.strips) extra += Layout.extraRows(strip, this.view.track, this.pages * this.across);
			if (extra < this.height / ROW * 1.1) break;
		}
		this.build();
	}
	build() {
		this.layout.build(this.strips, this.view.track, this.pages, this.across, !this.besides());
		this.tall.style.height = `${this.layout.height}px`;
		this.mini.forget();
	}
	resized() {
		if (this.host.clientWidth === this.width && this.host.clientHeight === this.height) return;
		const keep = this.anchor();
		this.measure();
		this.automatic ? this.fitScale() : this.build();
		if (keep !== null) this.show(keep, true);
	}
	update(strips) {
		const first = !this.strips.length, keep = this.anchor();
		this.strips = strips;
		this.cells.look(this.view);
		this.unknown = this.anyUnknown();
		this.measure();
		first || this.automatic ? this.fitScale() : this.build();
		this.at = keep === null || !this.at ? null : this.placeOf(keep);
		this.draw();
	}
	setScale(count) {
		this.automatic = false;
		this.pages = count;
		this.measure();
		this.build();
		this.draw();
	}
	zoom(factor, page = this.anchor(), y) {
		const scale = Math.min(PAGES_MOST, Math.max(1, this.pages * factor));
		if (scale === this.pages) return;
		this.setScale(scale);
		if (page !== null) this.show(page, true, y);
	}
	fit() {
		this.automatic = true;
		this.at = null;
		this.fitScale();
		this.box.scrollTop = 0;
		this.draw();
	}
	only(c) {
		this.cells.solo = c;
		this.mini.forget();
		this.draw();
	}

	// ---- places: a cell, and its pages
	anchor() {
		if (this.at) return this.at.page;
		const row = this.layout.rows[this.layout.rowAt(this.box.scrollTop + 1)];
		return row && row.strip && this.box.scrollTop > 0 ? Math.max(row.start, row.strip.start) : null;
	}
	placeOf(page) {
		const row = this.layout.rowOf(this.strips, page);
		if (row < 0) return null;
		const { strip, start } = this.layout.rows[row], column = Math.floor((page - start) / this.pages);
		return { row, column, strip, page, end: Math.min(strip.end, start + (column + 1) * this.pages) };
	}
	placeAt(x, y) {
		const index = this.layout.rowAt(y + this.box.scrollTop), row = this.layout.rows[index];
		const column = Math.floor((x - this.left) / this.cell);
		if (!row || row.folded !== undefined || column < 0 || column >= this.across) return null;
		const page = Math.max(row.strip.start, row.start + column * this.pages), end = Math.min(row.strip.end, row.start + (column + 1) * this.pages);
		return page < end ? { row: index, column, strip: row.strip, page, end } : null;
	}
	show(page, quietly, y = this.height / 3) {
		const place = this.placeOf(page);
		if (!place) return false;
		if (!quietly) this.at = place;
		const top = this.layout.tops[place.row];
		if (quietly || top < this.box.scrollTop || top > this.box.scrollTop + this.height - 2 * ROW) this.box.scrollTop = top - y;
		this.draw();
		return true;
	}

	// ---- drawing
	draw() {
		if (!this.frame) this.frame = requestAnimationFrame(() => {
			this.frame = 0;
			this.drawNow();
		});
	}
	// Whether there is a page of which it was not known at some time what it is.
	anyUnknown() {
		const { model, view: { track } } = this, { quiet } = model.rules;
		const values = track.kind === 'verdicts' ? [model.verdicts.findIndex(({ name }) => name === 'unknown') + 1] : [...quiet.keys()].filter(state => quiet[state] === model.class.unread);
		return track.counts.some(counts => counts && values.some(value => counts[value]));
	}
	drawNow() {
		const began = performance.now();
		this.resized();
		if (!this.width || !this.height) return;
		const scale = devicePixelRatio || 1, x = prepare(this.canvas, this.width - BAR, this.height);
		this.canvas.style.width = `${this.width - BAR}px`;
		this.canvas.style.height = `${this.height}px`;
		const top = this.box.scrollTop, { rows } = this.layout;
		const from = this.layout.rowAt(top - ROW), to = rows.length ? Math.min(rows.length, this.layout.rowAt(top + this.height) + 1) : 0;
		this.paintRows(x, scale, from, to, top);
		this.writeRows(x, from, to, top);
		drawLit(x, this, from, to, top, ROW);
		this.mark(x, this.over, 1, top);
		this.mark(x, this.at, 2, top);
		this.mini.draw(x, scale, this.width - BAR - MINI, MINI - 8);
		$('#scale').textContent = `1 cell = ${this.pages === 1 ? `1 page, ${pages(1)}` : `${number(this.pages)} pages, ${pages(this.pages)}`}, a row = ${pages(this.pages * this.across)}${this.pages === 1 ? '' : '; the height of a colour is its share'}; ${number(this.view.track.pages)} pages ${!this.model.known.states ? 'told of' : this.unknown ? 'ever resident, or not known' : 'ever resident'}`;
		this.lastFrame = performance.now() - began;
	}
	paintRows(x, scale, from, to, top) {
		const image = x.createImageData(this.canvas.width, this.canvas.height);
		const target = { pixels: new Uint32Array(image.data.buffer), width: image.width, height: image.height };
		for (let i = from; i < to; i++) {
			const row = this.layout.rows[i];
			if (row.folded !== undefined) continue;
			const box = { x: this.left * scale, y: Math.round((this.layout.tops[i] - top + 1.5) * scale), cell: this.cell * scale, height: Math.round((ROW - 3) * scale), gap: this.pages === 1 ? Math.max(1, Math.round(scale)) : 0 };
			this.cells.paint(target, row, this.pages, this.across, box);
		}
		x.putImageData(image, 0, 0);
	}
	writeRows(x, from, to, top) {
		x.textBaseline = 'middle';
		for (let i = from; i < to; i++) {
			const row = this.layout.rows[i], y = this.layout.tops[i] - top, middle = y + ROW / 2 + 0.5;
			if (row.title) {
				this.writeTitle(x, row.strip, middle);
				continue;
			}
			if (row.folded !== undefined) this.write(x, `⋯ ${pages(row.folded)} ${row.words} ⋯`, this.left, middle, font(11), color.faint);
			if (!row.strip) continue;
			const chosen = this.view.selected?.strip === row.strip;
			if (chosen) {
				x.fillStyle = color.accent;
				x.fillRect(8, y, 3, ROW);
			}
			const address = (Math.max(row.start, row.strip.start) * this.model.pageSize).toString(16).padStart(12, '0');
			this.write(x, address.length > 13 ? '…' + address.slice(-11) : address, ADDRESS, middle, font(11.5, 400, true), row.first ? color.dim : color.faint);
			if (this.besides()) this.nameRow(x, i, from, middle, chosen);
			if (this.pages === 1 && this.cell >= 8 && row.folded === undefined) this.writeLetters(x, row, middle);
		}
	}
	write(x, text, left, y, style, fill) {
		x.font = style;
		x.fillStyle = fill;
		x.textAlign = 'left';
		x.fillText(text, left, y);
	}
	// In a narrow window: a strip's name, how large it is and what happened, above it.
	writeTitle(x, strip, y) {
		const event = this.eventWords(strip), words = `${strip.perms}  ${pages(strip.size)}${event ? `, ${event}` : ''}`, room = this.width - ADDRESS - MINI - BAR;
		x.font = font(11.5);
		const name = room - x.measureText(words).width - 10;
		this.write(x, '', 0, y, font(12, 550), strip.unmapped ? color.faint : color.text);
		const title = cut(x, base(strip.title), Math.max(80, name)), end = ADDRESS + x.measureText(title).width + 10;
		x.fillText(title, ADDRESS, y);
		this.write(x, cut(x, words, room - (end - ADDRESS)), end, y, font(11.5), color.dim);
	}
	// A strip's name stands beside its first row in sight, then how large it is, then what happened to it.
	nameRow(x, i, from, y, chosen) {
		const { strip } = this.layout.rows[i], line = i - Math.max(from, strip.row), room = this.left - NAME - 12;
		if (line === 0) {
			this.write(x, '', 0, y, font(12.5, chosen ? 650 : 550), strip.unmapped ? color.faint : strip.title ? color.text : color.dim);
			x.fillText(cut(x, base(strip.title), room), NAME, y);
		} else if (line <= 3) {
			x.font = font(11.5);
			x.fillStyle = color.dim;
			x.fillText(cut(x, this.lineWords(i, line), room), NAME, y);
		}
		this.writeBehind(x, i, y);
	}
	// In the second row how large it is, then what happened; in the second, if that is the last.
	lineWords(i, line) {
		const { strip } = this.layout.rows[i], event = this.eventWords(strip), last = this.layout.rows[i + 1]?.strip !== strip;
		if (line >= 2) return event.split(', ')[line - 2] ?? '';
		return last && event ? `${pages(strip.size)}, ${event}` : `${strip.perms}, ${pages(strip.size)}`;
	}
	// Behind the cells of a strip that is one row.
	writeBehind(x, i, y) {
		const row = this.layout.rows[i], next = this.layout.rows[i + 1];
		if (!row.first || row.folded !== undefined || next && next.strip === row.strip) return;
		const event = this.eventWords(row.strip), text = `${row.strip.perms}  ${pages(row.strip.size)}${event ? `, ${event}` : ''}`;
		const left = this.left + Math.ceil((row.strip.end - row.start) / this.pages) * this.cell + 8;
		x.font = font(11.5);
		if (left + x.measureText(text).width < this.width - MINI - BAR - 16) this.write(x, text, left, y, font(11.5), color.faint);
	}
	eventWords(strip) {
		const counts = countsOf(this.model, this.view, strip);
		const { copied, child } = this.model.class;
		if (this.view.mode === 'cow' && counts[copied] && counts[child]) return `parent ${pages(counts[copied])}, child ${pages(counts[child])}`;
		let best = -1;
		this.model.classes.forEach((c, i) => { if (c.event && counts[i] && (best < 0 || counts[i] > counts[best])) best = i; });
		return best < 0 ? '' : `${pages(counts[best])} ${this.model.classes[best].words.replace(' on write', '')}`;
	}
	writeLetters(x, row, y) {
		const { track, classes } = this.view;
		x.font = font(Math.min(12, this.cell * 0.95), 700, true);
		x.textAlign = 'center';
		for (let column = 0; column < this.across; column++) {
			const page = row.start + column, index = page < row.strip.end ? track.indexOf(page) : -1;
			if (index < 0 || this.cells.solo >= 0 && this.cells.solo !== classes[index]) continue;
			const { letter } = this.model.classes[classes[index]];
			x.fillStyle = ink(classes[index]);
			if (letter.trim()) x.fillText(letter, this.left + (column + 0.5) * this.cell - 0.5, y);
		}
	}
	mark(x, place, width, top) {
		if (!place || !this.layout.rows[place.row] || this.layout.rows[place.row].folded !== undefined) return;
		x.strokeStyle = color.text;
		x.lineWidth = width;
		x.strokeRect(Math.round(this.left + place.column * this.cell) - 0.5, this.layout.tops[place.row] - top + 1, Math.round(this.cell), ROW - 2);
	}

	// ---- what people do
	listen() {
		const { box } = this;
		box.addEventListener('scroll', () => this.draw());
		box.addEventListener('pointermove', event => this.pointed(event));
		box.addEventListener('pointerleave', () => this.leave());
		listenToPinch(box, (ratio, x, y) => {
			if (ratio < 1.5 && ratio > 1 / 1.5) return false;
			const place = this.placeAt(x, y);
			this.zoom(ratio > 1 ? 0.5 : 2, place ? place.page : this.anchor(), y);
			return true;
		});
		box.addEventListener('click', event => this.clicked(event));
		box.addEventListener('dblclick', event => {
			const place = this.placeAt(event.offsetX, this.yOf(event));
			if (place) this.zoom(1 / 8, place.page, this.yOf(event));
		});
		box.addEventListener('wheel', event => {
			if (!event.ctrlKey && !event.metaKey) return;
			event.preventDefault();
			const place = this.placeAt(event.offsetX, this.yOf(event));
			this.zoom(event.deltaY > 0 ? 2 : 0.5, place ? place.page : this.anchor(), this.yOf(event));
		}, { passive: false });
		box.addEventListener('keydown', event => this.key(event));
	}
	yOf(event) { return event.clientY - this.host.getBoundingClientRect().top; }
	leave() {
		showTip();
		this.over = null;
		this.draw();
	}
	pointed(event) {
		const place = this.placeAt(event.offsetX, this.yOf(event));
		if (place?.row === this.over?.row && place?.column === this.over?.column) return place ? this.tip(event, place) : showTip();
		this.over = place;
		place ? this.tip(event, place) : showTip();
		this.draw();
	}
	tip(event, place) {
		const counts = this.countsAt(place);
		const rows = this.cells.order.filter(c => counts[c]).map(c => [el('dt', {}, swatch(c), wordsOf(this.model, this.view, c)), el('dd', {}, this.pages === 1 ? '' : pages(counts[c]))]);
		const names = this.model.namesIn(place.strip.vmas[0] ? this.view.track.process : 0, place.page, place.end, 4).map(name => name.symbol);
		showTip(event, el('div', { class: 'title mono' }, hex(place.page)), el('div', { class: 'note' }, base(place.strip.title)), el('dl', {}, rows), names.length ? el('div', { class: 'note mono' }, names.join(', ')) : null);
	}
	countsAt(place) { return this.cells.at(this.layout.rows[place.row], place.column, this.pages, this.across); }
	clicked(event) {
		const place = this.placeAt(event.offsetX, this.yOf(event));
		this.at = place;
		this.pick(place ? { strip: place.strip, page: place.page, end: place.end } : null);
		this.draw();
	}
	key(event) {
		const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
		if (step) {
			event.preventDefault();
			this.move(...step);
		} else if (event.key === '+' || event.key === '=') this.zoom(0.5);
		else if (event.key === '-') this.zoom(2);
		else if (event.key === 'Enter' && this.at) this.zoom(1 / this.pages, this.at.page);
	}
	move(down, right) {
		const { rows } = this.layout, from = this.at ?? { row: this.layout.rowAt(this.box.scrollTop), column: -1 };
		let row = from.row + down, column = Math.max(0, from.column + right);
		while (rows[row] && rows[row].folded !== undefined) row += down || 1;
		if (!rows[row]) return;
		const { strip, start } = rows[row], first = Math.max(0, Math.floor((strip.start - start) / this.pages)), last = Math.min(this.across, Math.ceil((strip.end - start) / this.pages)) - 1;
		column = Math.min(last, Math.max(first, column));
		this.go(Math.max(strip.start, start + column * this.pages));
	}
	go(page) {
		if (!this.show(page)) return;
		this.pick({ strip: this.at.strip, page: this.at.page, end: this.at.end });
		const counts = this.countsAt(this.at);
		say(`${hex(page)} ${base(this.at.strip.title)}: ` + this.cells.order.filter(c => counts[c]).map(c => `${counts[c]} ${wordsOf(this.model, this.view, c)}`).join(', '));
	}
	// The next or the previous page to which something happened.
	change(direction) {
		const { track, classes } = this.view, events = this.model.classes;
		showTip();
		let index = this.at ? track.indexOf(direction > 0 ? this.at.end - 1 : this.at.page) : -1;
		if (this.at && index < 0) index = track.first[track.segmentAt(this.at.page)] ?? -1;
		if (!this.at && direction < 0) index = track.pages;
		for (index += direction; index >= 0 && index < track.pages; index += direction) {
			if (!events[classes[index]].event) continue;
			const page = track.pageOf(index);
			if (stripAt(this.strips, page)) return this.go(page);
		}
		say('no more changes');
	}

	// ---- for other views
	// A mapping as one line, in a canvas.
	line(strip, width, height) {
		const canvas = document.createElement('canvas'), scale = devicePixelRatio || 1, x = prepare(canvas, width, height);
		const image = x.createImageData(canvas.width, canvas.height), count = Math.max(1, Math.ceil((strip.end - strip.start) / 64)), across = Math.ceil((strip.end - strip.start) / count);
		const target = { pixels: new Uint32Array(image.data.buffer), width: image.width, height: image.height };
		this.cells.paint(target, { strip, start: strip.start }, count, across, { x: 0, y: 0, cell: width * scale / across, height: image.height, gap: 0 });
		x.putImageData(image, 0, 0);
		canvas.style.width = `${width}px`;
		canvas.style.height = `${height}px`;
		return canvas;
	}
	// All of it, a canvas for each mapping, for paper: at most so many of them.
	pictures(width, most) {
		const across = 128, cell = width / across, track = this.view.track, out = [];
		const strips = [...this.strips].sort((a, b) => b.size - countsOf(this.model, this.view, b)[0] - a.size + countsOf(this.model, this.view, a)[0]).slice(0, most).sort((a, b) => a.start - b.start);
		for (const strip of strips) {
			const layout = new Layout();
			for (let count = 1; count < PAGES_MOST; count *= 2) {
				layout.build([strip], track, count, across);
				if (layout.rows.length <= 24) break;
			}
			const canvas = document.createElement('canvas'), x = prepare(canvas, width, layout.height), image = x.createImageData(canvas.width, canvas.height), scale = canvas.width / width;
			const target = { pixels: new Uint32Array(image.data.buffer), width: image.width, height: image.height };
			layout.rows.forEach((row, i) => row.folded === undefined && this.cells.paint(target, row, layout.pages, across, { x: 0, y: Math.round(layout.tops[i] * scale), cell: cell * scale, height: Math.round((ROW - 3) * scale), gap: 0 }));
			x.putImageData(image, 0, 0);
			x.textBaseline = 'middle';
			layout.rows.forEach((row, i) => row.folded !== undefined && this.write(x, `⋯ ${pages(row.folded)} ${row.words} ⋯`, 0, layout.tops[i] + ROW / 2, font(11), color.dim));
			out.push({ canvas, strip, cell: size(layout.pages * this.model.pageSize) });
		}
		return out;
	}
}
