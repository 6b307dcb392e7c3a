// The view by code: which functions copied, made and wrote pages between A and B, as a table, and their callers as a
// flame graph.  What is clicked lights up on the map.
import { $, color, el, ink, link, number, pages, paper, say } from './ui.js';
import { Table } from './table.js';

const UNSEEN = 0, SEVERAL = 1, STACKS = 2; // what a range says of its stack
const VALUES = ['copied', 'new', 'written'];
const DEPTH_MOST = 60, NARROWEST = 0.004, ROW = 18;

export class Code {
	constructor(model, view, show) {
		Object.assign(this, { model, view, show, table: null });
	}

	// ---- what to tell of
	ranges() {
		const { view, model } = this, { process } = view;
		const from = view.mode === 'a' || view.mode === 'b' ? -1 : view.a, until = view.mode === 'a' ? view.a : view.b;
		return model.code.blamed.filter(row => row.process === process && row.instant > from && row.instant <= until);
	}
	titleOf(stack) {
		if (stack === UNSEEN) return '(the kernel, or unseen)';
		if (stack === SEVERAL) return '(one of several)';
		return this.model.code.stacks[stack - STACKS].frames[0];
	}
	// By the innermost function; what stands in brackets is no function, but where in the kernel it was.
	rows(ranges) {
		const rows = new Map();
		for (const range of ranges) {
			const stack = this.model.code.stacks[range.stack - STACKS], remark = stack && stack.frames.length > 1 && stack.frames[0].startsWith('(inside ');
			const name = remark ? `${stack.frames[0]} ${stack.frames[1]}` : this.titleOf(range.stack), key = stack ? `${name}\n${stack.file}` : name;
			let row = rows.get(key);
			if (!row) rows.set(key, row = { name, file: stack?.file ?? '', line: stack?.line ?? 0, sums: [0, 0, 0], total: 0, ranges: [], seen: Boolean(stack) });
			if (row.line !== (stack?.line ?? 0)) row.line = 0;
			row.sums[range.value] += range.pages;
			row.total += range.pages;
			row.ranges.push(range);
		}
		return [...rows.values()];
	}

	// ---- drawing
	draw() {
		const host = $('#code'), { model } = this;
		this.light([]);
		if (!model.code) return host.replaceChildren(el('p', { class: 'note' }, 'No page faults are kept here. vmsnap blame --save keeps which code copied, made and wrote pages.'));
		const ranges = this.ranges(), rows = this.rows(ranges), list = el('div', { class: 'below' }), flame = el('div', { class: 'flame', role: 'group', 'aria-label': 'Callers' });
		host.replaceChildren(this.summary(rows), list, flame);
		this.putTable(list, rows);
		this.putFlame(flame, ranges);
	}
	summary(rows) {
		const { watched, leftOut } = this.model.code, { a, b, mode } = this.view, at = watched.filter(one => mode === 'b' ? one.instant <= b : one.instant > a && one.instant <= b);
		const sums = VALUES.map((_, i) => rows.reduce((sum, row) => sum + row.sums[i], 0)), faults = at.reduce((sum, one) => sum + one.faults, 0);
		const lost = at.some(one => one.lost === null) ? 'some lost' : `${number(at.reduce((sum, one) => sum + one.lost, 0))} lost`;
		const words = VALUES.map((name, i) => sums[i] && `${pages(sums[i])} ${name}`).filter(Boolean).join(', ') || 'nothing that faults explain';
		return el('p', { class: 'note' }, at.length ? `${words}; ${number(faults)} faults seen, ${lost}. ` : 'Faults were not watched between A and B. ',
			leftOut ? `${pages(leftOut)} in too many ranges for this page are left out. ` : null, rows.length ? ['What is clicked lights up on the map. ', link('To the map', () => this.show(null))] : null);
	}
	putTable(host, rows) {
		const sum = i => ({ id: VALUES[i], name: VALUES[i][0].toUpperCase() + VALUES[i].slice(1), width: 90, right: true, down: true, sparse: i === 2, key: row => row.sums[i], cell: row => row.sums[i] ? pages(row.sums[i]) : '' });
		const file = row => row.file ? `${row.file.slice(row.file.lastIndexOf('/') + 1)}${row.line ? `:${row.line}` : ''}` : '';
		this.table = new Table(host, {
			label: 'By code', pick: (row, enter) => this.pick(row.name, row.ranges, enter),
			columns: [
				{ id: 'total', name: 'Pages', width: 80, right: true, down: true, first: true, key: row => row.seen ? row.total : row.total / 1e9, cell: row => number(row.total) },
				sum(0), sum(1), sum(2),
				{ id: 'function', name: 'Function', mono: true, key: row => row.name, cell: row => row.name, hint: row => row.name },
				{ id: 'file', name: 'Source', width: 220, sparse: true, key: file, cell: file, hint: row => row.file },
			],
		});
		this.table.set(rows);
	}
	// From the outermost call down.
	tree(ranges) {
		const root = { name: '', total: 0, sums: [0, 0, 0], children: new Map(), ranges: [] };
		for (const range of ranges) {
			const stack = this.model.code.stacks[range.stack - STACKS], frames = stack ? [...stack.frames].reverse() : [this.titleOf(range.stack)];
			let at = root;
			for (const name of ['', ...frames.slice(0, DEPTH_MOST)]) {
				if (name) {
					if (!at.children.has(name)) at.children.set(name, { name, total: 0, sums: [0, 0, 0], children: new Map(), ranges: [] });
					at = at.children.get(name);
				}
				at.total += range.pages;
				at.sums[range.value] += range.pages;
				at.ranges.push(range);
			}
		}
		return root;
	}
	putFlame(host, ranges) {
		const root = this.tree(ranges), boxes = [];
		let deepest = 0;
		const put = (node, left, depth) => {
			for (const child of [...node.children.values()].sort((x, y) => y.total - x.total)) {
				const width = child.total / root.total;
				if (width >= NARROWEST) {
					boxes.push(this.box(child, left, width, depth));
					deepest = Math.max(deepest, depth + 1);
					put(child, left, depth + 1);
				}
				left += width;
			}
		};
		if (root.total) put(root, 0, 0);
		host.replaceChildren(el('div', { class: 'boxes', style: { height: `${deepest * ROW}px` } }, boxes));
	}
	box(node, left, width, depth) {
		const { class: of } = this.model, most = [of.copied, of.new, of.written][node.sums.indexOf(Math.max(...node.sums))];
		const words = `${node.name}: ${VALUES.map((name, i) => node.sums[i] && `${pages(node.sums[i])} ${name}`).filter(Boolean).join(', ')}`;
		return el('button', { type: 'button', class: 'box', title: words, 'aria-label': words, style: { left: `${left * 100}%`, width: `${width * 100}%`, top: `${depth * ROW}px`, height: `${ROW - 1}px`, background: paper(most), color: ink(most) },
			onclick: () => this.pick(node.name, node.ranges), ondblclick: () => this.pick(node.name, node.ranges, true) }, node.name);
	}

	// ---- what lights up
	light(ranges) {
		this.view.lit = ranges.map(({ page, pages: count }) => ({ page, end: page + count })).sort((a, b) => a.page - b.page);
	}
	pick(name, ranges, enter) {
		this.light(ranges);
		say(`${name}: ${number(ranges.reduce((sum, range) => sum + range.pages, 0))} pages light up on the map`);
		this.show(enter ? this.view.lit[0]?.page ?? null : undefined);
	}
}

// Over the cells of the map, those whose pages are lit.
export function drawLit(x, map, from, to, top, height) {
	const { lit } = map.view;
	if (!lit?.length) return;
	const reach = map.pages * map.across;
	x.fillStyle = color.accent;
	for (let i = from; i < to; i++) {
		const row = map.layout.rows[i];
		if (row.folded !== undefined) continue;
		let low = 0, high = lit.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if (lit[middle].end <= row.start) low = middle + 1;
			else high = middle;
		}
		for (let last = -1; low < lit.length && lit[low].page < row.start + reach; low++) {
			const first = Math.max(last + 1, Math.floor((Math.max(lit[low].page, row.start) - row.start) / map.pages));
			last = Math.min(map.across, Math.ceil((lit[low].end - row.start) / map.pages)) - 1;
			if (last >= first) x.fillRect(map.left + first * map.cell, map.layout.tops[i] - top + height - 4, (last - first + 1) * map.cell, 3);
		}
	}
}
