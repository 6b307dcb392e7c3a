// The timeline: what was resident at each instant, what happened in between, and A and B as handles.
import { listenToPinch } from './touch.js';
import { $, base, color, cut, duration, el, font, number, pages, prepare, showTip, stoodWords, swatch } from './ui.js';

// Left and right of it: what the lines are, and what they are at B; in a narrow window the legend has that already.
const MARGINS = [{ upTo: 620, left: 76, right: 16 }, { upTo: Infinity, left: 132, right: 186 }], TOP = 14, AREA = 92, EVENTS = 24, LANE = 11, LANES = 6, EVEN_STEPS = 40;
const REGION_COLORS = ['#5b8def', '#e8a33d', '#5fb8a5', '#c678c0', '#8f9aa8', '#c95d55'];

// Time where it helps; even steps where snapshots come in bursts, or clocks stood still and two were at one place.
function placesInTime(times) {
	const last = times[times.length - 1] || 1, steps = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
	const even = steps[0] === 0 || times.length > 2 && steps[steps.length - 1] > EVEN_STEPS * (steps[steps.length >> 1] || 1);
	return { even, last, at: times.map((time, i) => times.length < 2 ? 0.5 : even ? i / (times.length - 1) : time / last) };
}

export class Timeline {
	constructor(model, view, change) {
		Object.assign(this, { model, view, change, canvas: $('#timeline'), by: 'state', from: 0, to: 1, left: 132, right: 186, over: -1, drag: null, width: 0 });
		this.time = placesInTime(model.instants.map(instant => instant.ms));
		this.lanes = model.processes.length > 1 ? Math.min(LANES, model.processes.length) : 0;
		this.height = 162 + (this.lanes ? 2 + LANE * this.lanes : 0);
		this.canvas.style.height = `${this.height}px`;
		this.listen();
	}
	X(k) { return this.x(this.time.at[k]); }
	// Where a time lies, between two instants perhaps; NaN: before the first, or after the last.
	placeOf(ms) {
		const { instants } = this.model, { at } = this.time, next = instants.findIndex(instant => instant.ms >= ms);
		if (!next) return instants[0].ms === ms ? at[0] : NaN;
		const part = next < 0 ? NaN : (ms - instants[next - 1].ms) / (instants[next].ms - instants[next - 1].ms);
		return at[next - 1] + part * (at[next] - at[next - 1]);
	}
	x(place) { return this.left + (place - this.from) / (this.to - this.from) * (this.width - this.left - this.right); }
	instantAt(px) {
		let best = 0;
		for (let k = 1; k < this.time.at.length; k++) if (Math.abs(this.X(k) - px) < Math.abs(this.X(best) - px)) best = k;
		return best;
	}
	states() { return this.model.track(this.view.process, 'states'); }

	// ---- what is stacked
	layersByState(track, here) {
		const { classes, rules } = this.model, members = new Map();
		rules.quiet.forEach((c, state) => { if (state && c) members.set(c, [...members.get(c) ?? [], state]); });
		const { private: own, shared, file, zero, swapped, unread, dumped, dump_hole: hole } = this.model.class;
		return [own, shared, file, zero, dumped, hole, swapped, unread].filter(c => members.has(c)).map(c => ({ name: classes[c].words, color: color.css[c], of: k => members.get(c).reduce((sum, state) => sum + track.counts[k][state], 0) })).filter(layer => here.some(layer.of));
	}
	layersByMapping(track, here) {
		const { regions } = this.model.processes[this.view.process], largest = regions.map(region => ({ region, most: Math.max(...here.map(k => track.regions[k][region.number])) })).sort((a, b) => b.most - a.most);
		const out = largest.slice(0, REGION_COLORS.length).filter(({ most }) => most).map(({ region }, i) => ({ name: region.name ? base(region.name) : `anonymous ${(region.start * this.model.pageSize).toString(16)}`, color: REGION_COLORS[i], of: k => track.regions[k][region.number] }));
		const rest = largest.slice(REGION_COLORS.length);
		if (rest.some(({ most }) => most)) out.push({ name: `${number(rest.length)} more`, color: color.faint, of: k => rest.reduce((sum, { region }) => sum + track.regions[k][region.number], 0) });
		return out;
	}

	// ---- drawing
	draw() {
		this.width = this.canvas.clientWidth;
		Object.assign(this, MARGINS.find(margin => this.width < margin.upTo));
		if (!this.width) return;
		const x = prepare(this.canvas, this.width, this.height), track = this.states(), here = track.present.map((there, k) => there ? k : -1).filter(k => k >= 0);
		const layers = this.by === 'state' ? this.layersByState(track, here) : this.layersByMapping(track, here);
		const sum = k => layers.reduce((total, layer) => total + layer.of(k), 0), most = Math.max(1, ...here.map(sum));
		x.textBaseline = 'middle';
		this.drawAxis(x, most);
		x.save();
		x.beginPath();
		x.rect(this.left - 1, 0, this.width - this.left - this.right + 2, this.height);
		x.clip();
		this.drawRange(x);
		this.drawLayers(x, layers, here, most);
		this.drawEvents(x, track, here);
		this.drawLanes(x);
		this.drawForks(x);
		x.restore();
		this.drawPids(x);
		this.drawHandles(x);
		this.drawForkWords(x);
		this.drawLegend(x, layers, here, sum, most);
		this.drawTimes(x);
		this.tell(here, sum);
	}
	drawAxis(x, most) {
		const unit = 2 ** Math.max(0, Math.floor(Math.log2(most)) - 1);
		x.font = font(11);
		x.textAlign = 'right';
		for (let value = 0; value <= most; value += unit) {
			const y = Math.round(TOP + AREA - value / most * AREA) + 0.5;
			x.fillStyle = color.line;
			x.fillRect(this.left, y - 0.5, this.width - this.left - this.right, 1);
			x.fillStyle = color.faint;
			if (value) x.fillText(pages(value), this.left - 8, y);
		}
		x.fillText('events', this.left - 8, TOP + AREA + 4 + EVENTS / 2);
		if (this.lanes) x.fillText('processes', this.left - 8, this.laneTop(0) + 4);
	}
	drawRange(x) {
		if (this.view.mode !== 'diff' && this.view.mode !== 'cow') return;
		x.fillStyle = color.accent;
		x.globalAlpha = 0.09;
		x.fillRect(this.X(this.view.a), 4, this.X(this.view.b) - this.X(this.view.a), TOP + AREA + EVENTS);
		x.globalAlpha = 1;
	}
	drawLayers(x, layers, here, most) {
		const bottom = TOP + AREA, low = new Map(here.map(k => [k, 0])), Y = value => bottom - value / most * AREA;
		for (const layer of layers) {
			x.beginPath();
			for (const k of here) x.lineTo(this.X(k), Y(low.get(k) + layer.of(k)));
			for (const k of [...here].reverse()) x.lineTo(this.X(k), Y(low.get(k)));
			x.closePath();
			x.fillStyle = layer.color;
			x.fill();
			if (here.length === 1) x.fillRect(this.X(here[0]) - 14, Y(low.get(here[0]) + layer.of(here[0])), 28, layer.of(here[0]) / most * AREA);
			for (const k of here) low.set(k, low.get(k) + layer.of(k));
		}
		x.fillStyle = color.faint; // ticks: between the instants nothing is known
		for (const k of here) x.fillRect(this.X(k) - 0.5, bottom, 1, 3);
	}
	eventKinds() {
		const { copied, new: fresh, gone, other, swapped_out: out, written } = this.model.class;
		return [copied, written, fresh, gone, other, out];
	}
	drawEvents(x, track, here) {
		const kinds = this.eventKinds(), since = here.slice(1), sums = since.map(k => kinds.reduce((sum, c) => sum + track.events[k][c], 0)), most = Math.max(1, ...sums);
		const top = TOP + AREA + 4, width = Math.max(1, Math.min(14, (this.width - this.left - this.right) / this.model.instants.length / (this.to - this.from) * 0.7));
		for (const k of since) {
			let y = top;
			for (const c of kinds) {
				const height = track.events[k][c] ? Math.max(1, track.events[k][c] / most * EVENTS) : 0;
				x.fillStyle = color.css[c];
				x.globalAlpha = c === this.model.class.other ? 0.55 : 1;
				x.fillRect(this.X(k) - width / 2, y, width, Math.max(0, Math.min(height, top + EVENTS - y)));
				y += height;
			}
		}
		x.globalAlpha = 1;
	}
	// When children were made, as the kernel tells it: a line through all.
	drawForks(x) {
		x.strokeStyle = color.text;
		x.lineWidth = 1;
		x.setLineDash([3, 3]);
		for (const px of this.forkLines()) {
			x.beginPath();
			x.moveTo(px, TOP);
			x.lineTo(px, TOP + AREA + EVENTS + 4);
			x.stroke();
		}
		x.setLineDash([]);
	}
	// Over the handles' lines, which may be near.
	drawForkWords(x) {
		let free = -Infinity;
		x.font = font(10.5);
		x.textAlign = 'left';
		x.strokeStyle = color.panel;
		x.lineWidth = 4;
		x.fillStyle = color.text;
		for (const px of this.forkLines()) {
			if (px < free) continue;
			x.strokeText('fork', px + 4, TOP + AREA + EVENTS - 2);
			x.fillText('fork', px + 4, TOP + AREA + EVENTS - 2);
			free = px + 4 + x.measureText('fork ').width;
		}
	}
	// Lines that are nearer to each other than they are apart are one.
	forkLines() {
		const out = [];
		for (const [, place] of this.forkPlaces()) {
			const px = Math.round(this.x(place)) + 0.5;
			if (px >= this.left && px <= this.width - this.right && !(px < out[out.length - 1] + 4)) out.push(px);
		}
		return out;
	}
	// When, and where that is; a server has thousands.
	forkPlaces() {
		const { process } = this.view;
		if (this.forks?.process !== process) {
			const times = this.model.forksOf(process).map(fork => this.model.processes[fork.child].started).sort((a, b) => a - b);
			this.forks = { process, places: times.map(ms => [ms, this.placeOf(ms)]).filter(([, place]) => !Number.isNaN(place)) };
		}
		return this.forks.places;
	}
	laneTop(row) { return TOP + AREA + EVENTS + 12 + row * LANE; }
	// Those around the one that is shown.
	laneProcesses() {
		const first = Math.max(0, Math.min(this.model.processes.length - this.lanes, this.view.process - 1));
		return this.model.processes.slice(first, first + this.lanes);
	}
	drawLanes(x) {
		this.laneProcesses().forEach((process, row) => {
			const chosen = process.number === this.view.process;
			x.fillStyle = chosen ? color.accent : color.faint;
			x.globalAlpha = chosen ? 1 : 0.55;
			x.fillRect(this.X(process.first), this.laneTop(row), this.laneEnd(process) - this.X(process.first), chosen ? 4 : 3);
		});
		x.globalAlpha = 1;
	}
	laneEnd(process) { return Math.max(this.X(process.first) + 3, this.X(process.last)); }
	// Which bar is whose, where there is room behind them.
	drawPids(x) {
		if (this.right < 100) return;
		x.font = font(10);
		x.textAlign = 'left';
		x.fillStyle = color.faint;
		this.laneProcesses().forEach((process, row) => {
			const end = Math.min(this.laneEnd(process), this.width - this.right);
			if (this.lanes && end > this.left) x.fillText(String(process.pid), end + 8, this.laneTop(row) + 2);
		});
	}
	drawHandles(x) {
		const bottom = TOP + AREA + EVENTS + 4, { mode } = this.view;
		for (const which of ['a', 'b']) {
			const place = this.time.at[this.view[which]], px = Math.round(this.x(place)) + 0.5;
			if (place < this.from - 1e-9 || place > this.to + 1e-9) continue;
			x.globalAlpha = mode === 'a' && which === 'b' || mode === 'b' && which === 'a' ? 0.4 : 1;
			x.fillStyle = color.text;
			x.fillRect(px - 0.5, 16, 1, bottom - 16);
			x.beginPath();
			x.roundRect(px - 8, 2, 16, 15, 4);
			x.fill();
			x.fillStyle = color.bg;
			x.textAlign = 'center';
			x.font = font(10.5, 700);
			x.fillText(which.toUpperCase(), px, 10);
			x.globalAlpha = 1;
		}
		if (this.over < 0 || this.drag) return;
		x.fillStyle = color.dim;
		x.fillRect(Math.round(this.X(this.over)), TOP, 1, bottom - TOP);
	}
	// With what stands under the pointer, or else at B.
	drawLegend(x, layers, here, sum, most) {
		if (this.right < 100) return;
		const at = here.includes(this.over) ? this.over : here.includes(this.view.b) ? this.view.b : here[here.length - 1], left = this.width - this.right + 18;
		let y = TOP - 4;
		const line = (name, value, style) => {
			x.fillStyle = style;
			x.font = font(11.5);
			x.textAlign = 'left';
			x.fillText(cut(x, name, 92), left + 16, y);
			x.textAlign = 'right';
			x.fillText(value, this.width - 10, y);
		};
		line(at === this.over ? `at ${this.view.nameOf(at)}` : 'at B', pages(sum(at)), color.faint);
		for (const layer of [...layers].reverse()) {
			if (!here.some(k => layer.of(k) > most * 0.004)) continue;
			y += 15;
			x.fillStyle = layer.color;
			x.fillRect(left, y - 5, 10, 10);
			line(layer.name, layer.of(at) ? pages(layer.of(at)) : '0', color.dim);
		}
	}
	drawTimes(x) {
		const { last, even, at } = this.time, y = this.height - 8;
		x.textAlign = 'center';
		x.fillStyle = color.faint;
		x.font = font(11);
		if (even) {
			let end = -99;
			at.forEach((place, k) => {
				if (place < this.from || place > this.to || this.X(k) - end < 70) return;
				x.fillText(`#${k + 1}`, this.X(k), y);
				end = this.X(k);
			});
			return;
		}
		const wanted = (this.to - this.from) * last / ((this.width - this.left - this.right) / 90), power = 10 ** Math.floor(Math.log10(wanted)), part = wanted / power;
		const step = power * (part < 1.5 ? 1 : part < 3.5 ? 2 : part < 7.5 ? 5 : 10);
		if (this.model.instants.length > 1) for (let time = Math.ceil(this.from * last / step) * step; time <= this.to * last + 1; time += step) x.fillText(duration(time), this.x(time / last), y);
	}
	tell(here, sum) {
		const { b } = this.view, { canvas } = this;
		canvas.setAttribute('aria-valuemax', this.model.instants.length);
		canvas.setAttribute('aria-valuenow', b + 1);
		canvas.setAttribute('aria-valuetext', `${this.view.nameOf(b)}, ${here.includes(b) ? `${pages(sum(b))} there` : 'the process is not there'}`);
	}

	// ---- what people do
	listen() {
		const { canvas } = this;
		canvas.addEventListener('pointermove', event => this.moved(event));
		canvas.addEventListener('pointerleave', () => {
			this.over = -1;
			showTip();
			this.draw();
		});
		canvas.addEventListener('pointerdown', event => this.pressed(event));
		canvas.addEventListener('pointerup', event => this.released(event));
		canvas.addEventListener('pointercancel', () => {
			this.drag = null;
			this.draw();
		});
		canvas.addEventListener('dblclick', () => this.zoom(0, 1));
		canvas.addEventListener('wheel', event => {
			event.preventDefault();
			this.zoomAround(event.offsetX, Math.max(2 / this.model.instants.length, Math.min(1, (this.to - this.from) * Math.exp(event.deltaY * 0.002))));
		}, { passive: false });
		listenToPinch(canvas, (apart, x) => {
			this.drag = null;
			this.zoomAround(x, Math.max(2 / this.model.instants.length, Math.min(1, (this.to - this.from) / apart)));
			return true;
		});
		canvas.addEventListener('keydown', event => {
			const step = { ArrowLeft: -1, ArrowRight: 1, Home: -1e9, End: 1e9 }[event.key];
			if (!step) return;
			event.preventDefault();
			this.change(event.shiftKey ? { a: this.view.a + step } : { b: this.view.b + step });
		});
		$('#stack').addEventListener('click', event => {
			const button = event.target.closest('button');
			if (!button) return;
			this.by = button.dataset.by;
			for (const one of $('#stack').children) one.setAttribute('aria-pressed', String(one === button));
			this.draw();
		});
	}
	// What is under px stays there.
	zoomAround(px, span) {
		const part = (px - this.left) / (this.width - this.left - this.right), at = this.from + part * (this.to - this.from);
		this.zoom(at - part * span, at + (1 - part) * span);
	}
	zoom(from, to) {
		const span = Math.min(1, to - from);
		this.from = Math.max(0, Math.min(1 - span, from));
		this.to = this.from + span;
		this.draw();
	}
	pressed(event) {
		const row = Math.floor((event.offsetY - this.laneTop(0) + 3) / LANE), lane = this.laneProcesses()[row];
		if (row >= 0 && lane && event.offsetY < this.height - 14) return this.change({ process: lane.number });
		const near = ['b', 'a'].find(which => Math.abs(this.X(this.view[which]) - event.offsetX) < 8);
		this.canvas.setPointerCapture(event.pointerId);
		this.drag = { what: event.altKey ? 'pan' : near ?? 'new', x: event.offsetX, from: this.from, to: this.to };
		showTip();
	}
	moved(event) {
		const px = event.offsetX, { drag } = this;
		if (drag) return this.dragged(drag, px);
		this.over = px < this.left - 20 || px > this.width - this.right + 20 ? -1 : this.instantAt(px);
		this.tip(event);
		this.draw();
	}
	dragged(drag, px) {
		const k = this.instantAt(px);
		if (drag.what === 'pan') {
			const by = (drag.x - px) / (this.width - this.left - this.right) * (drag.to - drag.from);
			this.zoom(drag.from + by, drag.to + by);
		} else if (drag.what !== 'new') this.change({ [drag.what]: k });
		else if (Math.abs(px - drag.x) > 4) {
			const from = this.instantAt(drag.x);
			this.change({ a: Math.min(from, k), b: Math.max(from, k) });
		}
	}
	released(event) {
		const { drag } = this;
		this.drag = null;
		if (drag?.what === 'new' && Math.abs(event.offsetX - drag.x) <= 4) {
			const k = this.instantAt(event.offsetX);
			this.change(event.shiftKey || k < this.view.a ? { a: k } : { b: k });
		}
		this.draw();
	}
	tip(event) {
		const k = this.over, track = this.states();
		if (k < 0) return showTip();
		const { classes, instants } = this.model, rows = [];
		for (const layer of track.counts[k] ? this.layersByState(track, [k]).reverse() : []) rows.push(el('dt', {}, el('span', { class: 'swatch', style: { background: layer.color } }), layer.name), el('dd', {}, pages(layer.of(k))));
		for (const c of k && track.counts[k] ? this.eventKinds() : []) if (track.events[k][c]) rows.push(el('dt', {}, swatch(c), `${classes[c].words} since before`), el('dd', {}, pages(track.events[k][c])));
		showTip(event, el('div', { class: 'title' }, this.view.nameOf(k)), el('div', { class: 'note' }, `${duration(instants[k].ms)} after the first, ${stoodWords(instants[k])}`), rows.length ? el('dl', {}, rows) : el('div', { class: 'note' }, 'not there'));
	}
}
