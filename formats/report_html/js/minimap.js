// The whole map at its right edge, and where we are in it.
import { $, color } from './ui.js';

export class MiniMap {
	constructor(map) {
		const area = $('#mini');
		Object.assign(this, { map, picture: null, key: '' });
		area.addEventListener('pointerdown', event => {
			area.setPointerCapture(event.pointerId);
			this.go(event);
		});
		area.addEventListener('pointermove', event => event.buttons && this.go(event));
		area.addEventListener('wheel', event => { map.box.scrollTop += event.deltaY; }, { passive: true });
	}
	forget() { this.key = ''; }

	// The class that a dot shows: by chance, as often as its share.
	dot(cells, from, to, x, y) {
		const { counts, stride, classes, model } = cells;
		let all = 0, event = 0, most = 0, quiet = 0, best = -1;
		for (let cell = from; cell < to; cell++) {
			all += counts[cell * stride + classes];
			for (let c = 0; c < classes; c++) {
				const count = counts[cell * stride + c];
				if (model.classes[c].event) {
					if (count > most) most = count, event = c;
				} else if (count > quiet && (c || best < 0)) quiet = count, best = c;
			}
		}
		if (!all) return -1;
		let mixed = Math.imul(x * 73856093 ^ y * 19349663, 0x45d9f3b);
		mixed = (mixed ^ mixed >>> 15) >>> 0;
		return most > all * ((mixed & 255) / 256) ? event : Math.max(0, best);
	}
	render(width, height) {
		const { layout, cells, pages, across } = this.map, canvas = document.createElement('canvas');
		canvas.width = width;
		canvas.height = height;
		const x = canvas.getContext('2d'), image = x.createImageData(width, height), pixels = new Uint32Array(image.data.buffer);
		let last = -1;
		for (let y = 0; y < height; y++) {
			const index = layout.rowAt(y * layout.height / height), row = layout.rows[index];
			if (!row || row.folded !== undefined) continue;
			if (index !== last) cells.count(row, pages, across);
			last = index;
			for (let at = 0; at < width; at++) {
				const from = Math.floor(at / width * across), c = this.dot(cells, from, Math.max(from + 1, Math.floor((at + 1) / width * across)), at, y);
				if (c >= 0) pixels[y * width + at] = cells.tone(c);
			}
		}
		x.putImageData(image, 0, 0);
		return canvas;
	}
	draw(x, scale, left, width) {
		const { map } = this, key = [map.pages, map.across, map.view.key, map.cells.solo, map.height, color.bg].join();
		if (key !== this.key) this.picture = this.render(Math.round(width * scale), Math.round(map.height * scale));
		this.key = key;
		x.drawImage(this.picture, left, 0, width, map.height);
		const part = map.height / map.layout.height;
		if (part >= 1) return;
		x.strokeStyle = color.text;
		x.lineWidth = 1;
		x.strokeRect(left - 0.5, map.box.scrollTop * part + 0.5, width + 1, Math.max(6, map.height * part) - 1);
	}
	go({ clientY }) {
		const { map } = this;
		map.box.scrollTop = (clientY - map.host.getBoundingClientRect().top) / map.height * map.layout.height - map.height / 2;
	}
}
