// The view of mappings: a row for each strip.
import { $, base, el, hex, number, pages, percent } from './ui.js';
import { Table } from './table.js';
import { countsOf } from './strips.js';

const some = count => count ? pages(count) : '';
export function pathCell(title) {
	if (!title.startsWith('/')) return title || el('span', { class: 'path' }, 'anonymous');
	return el('span', { class: 'cutleft' }, el('span', { class: 'path' }, title.slice(0, title.lastIndexOf('/') + 1)), el('span', {}, base(title)));
}

export class Mappings {
	constructor(model, view, map, pick) {
		Object.assign(this, { model, view });
		const { copied, child, new: fresh, gone, swapped, swapped_out: out, written, shared, unread, dump_hole: hole } = model.class, counts = strip => countsOf(model, view, strip);
		const lost = strip => counts(strip)[copied] + counts(strip)[child], swap = strip => counts(strip)[swapped] + counts(strip)[out];
		const resident = strip => counts(strip).reduce((sum, count) => sum + count, 0) - counts(strip)[0] - counts(strip)[gone] - counts(strip)[unread] - counts(strip)[hole] - swap(strip);
		// As diff has it, of what was shared at A; of a fork, as cow has it, of what is lost and what is shared still.
		const whole = strip => view.mode === 'diff' ? this.sharedAtA(strip) : lost(strip) + counts(strip)[shared];
		const share = strip => lost(strip) && lost(strip) <= whole(strip) ? lost(strip) / whole(strip) : 0;
		const amount = (id, name, of, more) => ({ id, name, width: 80, right: true, down: true, sparse: true, key: of, cell: strip => some(of(strip)), ...more });
		this.amounts = { size: strip => strip.size, resident, copied: lost, new: strip => counts(strip)[fresh], gone: strip => counts(strip)[gone], written: strip => counts(strip)[written], swapped: swap };
		this.table = new Table($('#mappings'), {
			label: 'Mappings', pick: (strip, enter) => pick({ strip }, enter), totals: strips => this.totals(strips),
			columns: [
				{ id: 'start', name: 'Start', width: 130, mono: true, first: true, key: strip => strip.start, cell: strip => hex(strip.start).slice(2) },
				amount('size', 'Size', this.amounts.size, { sparse: false }),
				{ id: 'perms', name: 'Perm', width: 56, mono: true, key: strip => strip.perms, cell: strip => strip.perms, kind: () => 'dim' },
				{ id: 'pages', name: 'Pages', width: 138, down: true, title: 'Where in the mapping; sorts by the share that is resident', key: strip => resident(strip) / strip.size, cell: strip => map.line(strip, 126, 14) },
				amount('resident', model.known.states ? 'Resident' : 'Dumped', resident, { sparse: false }),
				amount('copied', 'Copied', lost, { kind: () => 'hot' }),
				{ id: 'percent', name: '% of shared', width: 92, right: true, down: true, sparse: true, title: 'Copied, of what was writable and shared at A; of a fork, of that and what is shared still', key: share, cell: strip => share(strip) ? percent(share(strip)) : '' },
				amount('new', 'New', this.amounts.new),
				amount('gone', 'Gone', this.amounts.gone),
				amount('written', 'Written', this.amounts.written),
				amount('swapped', 'Swapped', swap),
				{ id: 'name', name: 'Mapping', key: strip => strip.title || '~', cell: strip => pathCell(strip.title), hint: strip => strip.title },
			],
		});
	}
	// Pages that a write would have copied.
	sharedAtA(strip) {
		const { model, view } = this, { track } = view;
		if (this.key !== view.key) Object.assign(this, { key: view.key, before: track.present[view.a] ? track.valuesAt(view.a).slice() : null, bases: new Map() });
		if (this.before && !this.bases.has(strip)) {
			const { shared, file } = model.class;
			let count = 0;
			for (const vma of strip.vmas) if (vma.perms[1] === 'w' && vma.perms[3] === 'p')
				track.pieces(vma.start, vma.end, (_, index, many) => { for (let i = index; i < index + many; i++) count += [shared, file].includes(model.rules.quiet[this.before[i]]); });
			this.bases.set(strip, count);
		}
		return this.bases.get(strip) ?? 0;
	}
	totals(strips) {
		const out = { start: 'total', name: `${number(strips.reduce((sum, strip) => sum + strip.vmas.length, 0))} mappings` };
		for (const [id, of] of Object.entries(this.amounts)) out[id] = some(strips.reduce((sum, strip) => sum + of(strip), 0));
		return out;
	}
	draw() { this.table.set(this.view.strips); }
}
