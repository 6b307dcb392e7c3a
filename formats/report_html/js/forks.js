// The view of copy-on-write: for a parent and its child the verdicts with their meaning, what was lost since the fork,
// and the pages; those with names first.
import { $, base, color, el, font, hex, link, number, pages, prepare, swatch } from './ui.js';
import { Table } from './table.js';
import { stripAt } from './strips.js';
import { INFERRED } from './model.js';
import { doubtWords, lostWords, markWords, sharesOf, whenLost, whenWords } from './shares.js';

const MEANING = {
	shared: 'one frame, both see it', copied_by_child: 'the child has another frame than at the fork', copied_by_parent: 'the parent has another frame than at the fork',
	copied_by_both: 'neither has the frame of the fork', copied: 'two frames; who copied is not known', new_in_child: 'only the child has it, since the fork',
	new_in_parent: 'only the parent has it, since the fork', new_in_both: 'each got its own since the fork', only_in_child: 'only the child has it', only_in_parent: 'only the parent has it',
	zero_shared: 'the zero page, in one or both', zero_written_by_child: 'the child wrote over the zero page', zero_written_by_parent: 'the parent wrote over the zero page',
	zero_written_by_both: 'both wrote over the zero page', dropped_by_child: 'private at the fork, given back by the child', dropped_by_parent: 'private at the fork, given back by the parent',
	dropped_by_both: 'private at the fork, given back by both', file: 'page cache', shared_mapping: 'shared by intention', swapped: 'which frame it will get is not known',
	unknown: 'the kernel did not say', zero_in_child: 'the child read it since, and wrote nothing', zero_in_parent: 'the parent read it since, and wrote nothing', zero_in_both: 'both read it since, and wrote nothing',
	zero: 'the zero page, in one or both; whether since before the fork is not known',
};
const QUIET = ['shared', 'file', 'shared_mapping', 'zero_shared', 'zero'];

export class Forks {
	constructor(model, view, pick, choose) { Object.assign(this, { model, view, pick, choose }); }

	fork() { return this.view.fork ?? this.model.forksOf(this.view.process)[0] ?? this.model.forks[0]; }
	sumOf(counts, names) { return this.model.verdicts.reduce((sum, verdict, i) => sum + (names.includes(verdict.name) ? counts[i + 1] : 0), 0); }
	// The instant to tell of: B, or the last at which both were there.
	instantOf(fork) { return fork.present[this.view.b] ? this.view.b : fork.present.lastIndexOf(true); }

	draw() {
		const host = $('#forks'), fork = this.fork();
		if (!fork) return host.replaceChildren(el('p', { class: 'note' }, 'There is no parent with its child at one instant here. vmsnap capture --tree and vmsnap record --tree --on fork take both.'));
		const instant = this.instantOf(fork), counts = fork.counts[instant], list = el('div', { class: 'below' }), curve = el('canvas', { id: 'curve', role: 'img' });
		host.replaceChildren(el('div', { class: 'top' }, this.verdicts(fork, instant, counts), this.sum(fork, instant, curve)), list);
		this.drawCurve(curve, fork, instant);
		this.listRanges(list, fork, instant);
	}
	verdicts(fork, instant, counts) {
		const { processes, verdicts, forks } = this.model, parent = processes[fork.process], child = processes[fork.child];
		const rows = verdicts.map((verdict, i) => ({ ...verdict, count: counts[i + 1] })).filter(row => row.count).sort((a, b) => b.count - a.count);
		const others = forks.filter(other => other !== fork).slice(0, 8);
		return el('div', {}, el('h2', {}, `${parent.title} → child ${child.pid}, at ${this.view.nameOf(instant)}`),
			el('p', {}, `Against both as they were at ${this.view.nameOf(fork.base)}. `, others.map(other => [link(`child ${processes[other.child].pid} instead`, () => this.choose(other)), ' '])),
			this.inferred(fork, instant),
			fork.warning ? el('p', { class: 'warning' }, fork.warning) : null,
			el('div', { class: 'verdicts' }, rows.map(row => [el('b', {}, pages(row.count)), el('span', { class: 'word' }, swatch(row.class), row.name.replace(/_/g, ' ')), el('span', { class: 'meaning' }, MEANING[row.name] ?? '')])));
	}
	inferred(fork, instant) {
		const count = this.model.marksAt(fork, instant)?.reduce((sum, mark) => sum + (mark & INFERRED), 0);
		return count ? el('p', {}, `Of these ${pages(count)} are inferred, from who shares and from circumstances, not from frames.`) : null;
	}
	sum(fork, instant, curve) {
		const shares = sharesOf(this.model, fork, instant), words = [`${pages(shares.lost)} copied, ${pages(shares.shared)} shared still`, whenWords(whenLost(this.model, fork, instant)), doubtWords(this.model, fork, instant, shares)].filter(Boolean).join('; ');
		return el('div', {}, el('h2', {}, lostWords(shares) || 'Nothing is lost yet'), el('p', {}, words), curve);
	}
	drawCurve(canvas, fork, instant) {
		const width = canvas.clientWidth || 400, height = 150, x = prepare(canvas, width, height), { instants, class: of } = this.model;
		const at = fork.present.map((there, k) => there ? k : -1).filter(k => k >= 0), { started } = this.model.processes[fork.child];
		// At the fork nothing was lost.
		const known = started <= instants[at[0]].ms, from = known ? started : instants[at[0]].ms, span = instants[at[at.length - 1]].ms - from || 1;
		const series = [['parent', color.css[of.copied], ['copied_by_parent', 'copied_by_both']], ['child', color.css[of.child], ['copied_by_child']], ['not known', color.faint, ['copied']]]
			.map(([name, paint, names]) => ({ name, paint, values: at.map(k => this.sumOf(fork.own[k], names)) })).filter(one => one.values.some(Boolean));
		const most = Math.max(1, ...at.map((_, i) => series.reduce((sum, one) => sum + one.values[i], 0)));
		const place = ms => 64 + (ms - from) / span * (width - 84), X = k => place(instants[k].ms), Y = value => height - 22 - value / most * (height - 40);
		const low = at.map(() => 0);
		x.clearRect(0, 0, width, height);
		this.shade(x, whenLost(this.model, fork, instant), ms => place(ms + from), height);
		for (const one of series) {
			x.beginPath();
			if (known) x.moveTo(place(started), Y(0));
			at.forEach((k, i) => x.lineTo(X(k), Y(low[i] + one.values[i])));
			for (let i = at.length - 1; i >= 0; i--) x.lineTo(X(at[i]), Y(low[i]));
			x.fillStyle = one.paint;
			x.fill();
			one.values.forEach((value, i) => { low[i] += value; });
		}
		x.font = font(11);
		x.fillStyle = color.dim;
		x.textBaseline = 'middle';
		x.textAlign = 'right';
		x.fillText(pages(most), 58, Y(most));
		x.fillText('0', 58, Y(0));
		const free = this.drawKey(x, series, width, height), name = known ? 'fork' : this.view.nameOf(fork.base);
		x.textAlign = 'left';
		x.fillStyle = color.dim;
		if (place(from) + x.measureText(name).width < free) x.fillText(name, place(from), height - 9);
		if (known) x.fillRect(place(started) - 0.5, 8, 1, height - 30);
		x.fillStyle = color.text;
		x.fillRect(X(instant) - 0.5, 8, 1, height - 30);
		canvas.setAttribute('aria-label', `lost by then: ${at.map((k, i) => `${this.view.nameOf(k)} ${pages(low[i])}`).join(', ')}`);
	}
	// Behind the curve: when most of it was copied.
	shade(x, when, place, height) {
		if (!when) return;
		x.fillStyle = color.accent;
		x.globalAlpha = 0.09;
		x.fillRect(place(when.from.at), 8, place(when.to.at) - place(when.from.at), height - 30);
		x.globalAlpha = 1;
	}
	// Where it begins.
	drawKey(x, series, width, height) {
		let right = width - 20;
		x.textAlign = 'right';
		for (const one of [...series].reverse()) {
			x.fillStyle = color.dim;
			x.fillText(one.name, right, height - 9);
			right -= x.measureText(one.name).width + 14;
			x.fillStyle = one.paint;
			x.fillRect(right, height - 14, 10, 10);
			right -= 14;
		}
		return right;
	}
	ranges(fork, instant) {
		const values = fork.valuesAt(instant), marks = this.model.marksAt(fork, instant), out = [];
		for (let segment = 0; segment < fork.start.length; segment++)
			for (let i = fork.first[segment]; i < fork.first[segment + 1];) {
				const value = values[i], from = i;
				while (i < fork.first[segment + 1] && values[i] === value && marks?.[i] === marks?.[from]) i++;
				if (!value || QUIET.includes(this.model.verdicts[value - 1].name)) continue;
				const page = fork.start[segment] + from - fork.first[segment];
				out.push({ page, count: i - from, verdict: this.model.verdicts[value - 1], marks: marks?.[from] ?? 0, names: this.model.namesIn(fork.child, page, page + i - from).sort((a, b) => b.size - a.size) });
			}
		return out;
	}
	listRanges(host, fork, instant) {
		const { processes } = this.model, own = name => name.object === processes[fork.child].exe ? 2 : 1;
		const rank = row => row.names.length ? 1e9 * Math.max(...row.names.map(own)) + row.count : row.count;
		new Table(host, {
			label: 'Pages that are not shared', pick: (row, enter) => this.pickRange(row, enter),
			columns: [
				{ id: 'start', name: 'Start', width: 140, mono: true, key: row => row.page, cell: row => hex(row.page).slice(2) },
				{ id: 'count', name: 'Pages', width: 74, right: true, down: true, key: row => row.count, cell: row => number(row.count) },
				{ id: 'verdict', name: 'What', width: 190, key: row => row.verdict.name, cell: row => el('span', {}, swatch(row.verdict.class), ` ${row.verdict.name.replace(/_/g, ' ')}${markWords(row.marks)}`) },
				{ id: 'names', name: 'On these pages', first: true, down: true, key: rank, cell: row => el('span', { class: 'mono' }, row.names.slice(0, 8).map(name => name.symbol).join(', ') + (row.names.length > 8 ? ' …' : '')) },
				{ id: 'mapping', name: 'Mapping', width: 170, key: row => this.titleOf(row), cell: row => this.titleOf(row) },
			],
		}).set(this.ranges(fork, instant));
	}
	titleOf(row) { return base(stripAt(this.view.strips, row.page)?.title ?? ''); }
	pickRange(row, enter) {
		const strip = stripAt(this.view.strips, row.page);
		if (strip) this.pick({ strip, page: row.page, end: row.page + row.count }, enter);
	}
}
