// Pages of each class in each cell of a row, and a row of cells as pixels.  The height of a colour is its share of the
// cell: no colour wins a whole cell.
import { color, mixedWith } from './ui.js';

export class Cells {
	constructor(model) {
		this.model = model;
		this.classes = model.classes.length;
		this.stride = this.classes + 1; // and all of them
		this.counts = new Uint32Array(256 * this.stride);
		const { copied, child, written, new: fresh, swapped_out: out, gone, other, shared, private: own, file, zero, swapped, guard, unread, dumped, dump_hole: hole } = model.class;
		this.order = [copied, child, written, fresh, out, gone, other, shared, own, file, zero, dumped, hole, swapped, guard, unread, 0]; // bottom up
		this.solo = -1;
	}
	look(view) { this.view = view; }
	count(row, pages, cells) {
		const { track, counted } = this.view, { counts, stride } = this, limit = row.start + cells * pages;
		counts.fill(0, 0, cells * stride);
		for (const vma of row.strip.vmas) {
			const from = Math.max(vma.start, row.start), to = Math.min(vma.end, limit);
			for (let cell = Math.floor((from - row.start) / pages); row.start + cell * pages < to && from < to; cell++)
				counts[cell * stride + this.classes] += Math.min(to, row.start + (cell + 1) * pages) - Math.max(from, row.start + cell * pages);
			track.pieces(from, to, (page, index, count) => {
				while (count) {
					const cell = Math.floor((page - row.start) / pages), part = Math.min(count, row.start + (cell + 1) * pages - page);
					counted.add(counts, cell * stride, index, part);
					page += part;
					index += part;
					count -= part;
				}
			});
		}
		this.countRest(cells);
	}
	countRest(cells) {
		for (let cell = 0; cell < cells; cell++) {
			const at = cell * this.stride;
			let told = 0;
			for (let c = 1; c < this.classes; c++) told += this.counts[at + c];
			this.counts[at] = this.counts[at + this.classes] - told;
		}
	}
	tone(c) {
		if (this.solo < 0 || c === this.solo || !c) return color.packed[c];
		const mixed = color.rgb[c].map((value, i) => Math.round(value * 0.16 + color.rgb[0][i] * 0.84));
		return 0xff000000 | mixed[2] << 16 | mixed[1] << 8 | mixed[0];
	}
	// image: { pixels, width, height }; box: where the row goes, in its pixels.
	paint(image, row, pages, cells, box) {
		this.count(row, pages, cells);
		const tones = this.model.classes.map((_, c) => this.tone(c));
		for (let cell = 0; cell < cells; cell++)
			if (this.counts[cell * this.stride + this.classes]) this.paintCell(image, cell, box, tones);
	}
	paintCell({ pixels, width, height }, cell, box, tones) {
		const at = cell * this.stride, all = this.counts[at + this.classes];
		const left = Math.round(box.x + cell * box.cell), right = Math.min(width, Math.round(box.x + (cell + 1) * box.cell) - box.gap);
		let done = 0, bottom = box.height;
		for (const c of this.order) {
			const count = this.counts[at + c];
			if (!count) continue;
			done += count;
			let top = Math.round(box.height * (1 - done / all));
			if (this.model.classes[c].event) top = Math.min(top, bottom - 1); // a single page is a pixel at least
			top = Math.max(0, top);
			const tone = tones[c], other = tones[mixedWith(c)];
			for (let y = Math.max(0, box.y + top); y < Math.min(height, box.y + bottom); y++)
				for (let x = left; x < right; x++) pixels[y * width + x] = x + y & 1 ? other : tone;
			bottom = top;
			if (bottom <= 0) break;
		}
	}
	at(row, cell, pages, cells) {
		this.count(row, pages, cells);
		return this.counts.slice(cell * this.stride, (cell + 1) * this.stride);
	}
}
