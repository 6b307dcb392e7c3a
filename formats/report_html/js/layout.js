// Which rows of cells the map has: strips in rows that begin at a multiple of their length, so that strides become
// columns; what was never touched, and holes between mappings, are one line.
export const ROW = 17;
const HOLE_PAGES = 1 << 18, GAP = 2;

export class Layout {
	constructor() { Object.assign(this, { rows: [], tops: [], height: 0, pages: 16, cells: 64 }); }

	// pages: of a cell; cells: of a row; titled: names stand in lines of their own.
	build(strips, track, pages, cells, titled) {
		Object.assign(this, { rows: [], tops: [], pages, cells });
		let top = 4, end = null;
		const add = row => {
			this.rows.push(row);
			this.tops.push(top);
			top += ROW;
		};
		for (const strip of strips) {
			if (end !== null && strip.start - end > HOLE_PAGES) add({ folded: strip.start - end, words: 'unmapped' });
			end = strip.end;
			strip.row = this.rows.length;
			if (titled) add({ strip, start: strip.start, title: true, folded: 0 });
			this.addStrip(strip, track, add);
			top += GAP;
		}
		this.height = top + 8;
	}
	addStrip(strip, track, add) {
		const { pages, cells } = this, whole = pages * cells, aligned = Math.floor(strip.start / pages) * pages;
		if (Math.ceil((strip.end - aligned) / pages) <= cells) return add({ strip, start: aligned, first: true });
		let first = true;
		for (let start = Math.floor(strip.start / whole) * whole; start < strip.end; first = false) {
			const next = track.nextPage(Math.max(start, strip.start));
			const until = next >= strip.end ? Math.ceil(strip.end / whole) * whole : Math.floor(next / whole) * whole;
			const empty = Math.min(until, strip.end) - Math.max(start, strip.start);
			if (empty > whole) {
				add({ strip, start, first, folded: empty, words: track.untold });
				start = until;
			} else {
				add({ strip, start, first });
				start += whole;
			}
		}
	}
	rowAt(y) {
		let low = 0, high = this.tops.length - 1;
		while (low < high) {
			const middle = (low + high + 1) >> 1;
			if (this.tops[middle] <= y) low = middle; else high = middle - 1;
		}
		return low;
	}
	rowOf(strips, page) {
		for (let i = 0; i < strips.length; i++) {
			const strip = strips[i];
			if (page < strip.start || page >= strip.end) continue;
			const last = i + 1 < strips.length ? strips[i + 1].row : this.rows.length;
			for (let row = last - 1; row >= strip.row; row--)
				if (this.rows[row].strip === strip && this.rows[row].start <= page) return row;
		}
		return -1;
	}
	// So many rows a strip takes beyond its first.
	static extraRows(strip, track, whole) {
		let rows = 0;
		for (let start = Math.floor(strip.start / whole) * whole; start < strip.end && rows < 1e4;) {
			const next = track.nextPage(Math.max(start, strip.start));
			if (next >= strip.end) break;
			const end = Math.min(strip.end, track.segmentEnd(track.segmentAt(next)));
			rows += Math.ceil(end / whole) - Math.floor(next / whole);
			start = Math.ceil(end / whole) * whole;
		}
		return Math.max(0, rows - 1);
	}
}
