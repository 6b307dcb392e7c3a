// The view of changes: ranges of pages with one thing that happened, the largest first, and the names on them.
import { $, base, el, hex, number, pages, swatch } from './ui.js';
import { Table } from './table.js';

export class Changes {
	constructor(model, view, pick) {
		Object.assign(this, { model, view });
		const named = row => row.names ??= model.namesIn(view.track.process, row.page, row.page + row.count);
		this.table = new Table($('#changes'), {
			label: 'Changed ranges', pick: (row, enter) => pick({ strip: row.strip, page: row.page, end: row.page + row.count }, enter),
			columns: [
				{ id: 'start', name: 'Start', width: 140, mono: true, key: row => row.page, cell: row => hex(row.page).slice(2) },
				{ id: 'count', name: 'Pages', width: 74, right: true, down: true, first: true, key: row => row.count, cell: row => number(row.count) },
				{ id: 'size', name: 'Size', width: 84, right: true, down: true, key: row => row.count, cell: row => pages(row.count) },
				{ id: 'what', name: 'What', width: 150, key: row => row.class, cell: row => el('span', {}, swatch(row.class), ` ${model.classes[row.class].words}`) },
				{ id: 'mapping', name: 'Mapping', width: 190, key: row => row.strip.title || '~', cell: row => base(row.strip.title), hint: row => row.strip.title },
				{ id: 'names', name: 'On these pages', down: true, key: row => named(row).length, cell: row => el('span', { class: 'mono' }, named(row).slice(0, 6).map(name => name.symbol).join(', ') + (named(row).length > 6 ? ' …' : '')) },
			],
		});
	}
	rows(only) {
		const { track, classes, strips } = this.view, out = [];
		const add = (strip, page, count, c) => {
			const last = out[out.length - 1];
			if (last && last.class === c && last.page + last.count === page && last.strip === strip) last.count += count;
			else out.push({ strip, page, count, class: c });
		};
		for (const strip of strips) for (const vma of strip.vmas) track.pieces(vma.start, vma.end, (page, index, count) => {
			for (let i = 0, from = 0; i < count; from = i) {
				const c = classes[index + i];
				while (i < count && classes[index + i] === c) i++;
				if (this.model.classes[c].event && (only < 0 || only === c)) add(strip, page + from, i - from, c);
			}
		});
		return out;
	}
	// How many there are.
	draw(only) {
		const rows = this.rows(only);
		this.table.set(rows);
		return rows.length;
	}
}
