// The view of /proc/PID/status: fields at A and at B, those that differ first, and their way over time.
import { $, color, el, prepare } from './ui.js';
import { Table } from './table.js';

const numberOf = text => text === null || !/^\d/.test(text) ? NaN : parseFloat(text);

export class Status {
	constructor(model, view) {
		Object.assign(this, { model, view });
		const at = (row, k) => row.values[k] ?? '';
		this.table = new Table($('#status'), {
			label: 'Status', pick: () => {},
			columns: [
				{ id: 'key', name: 'Field', width: 190, key: row => row.key.toLowerCase(), cell: row => row.key },
				{ id: 'a', name: 'A', width: 180, right: true, mono: true, key: row => at(row, view.a), cell: row => at(row, view.a) },
				{ id: 'b', name: 'B', width: 180, right: true, mono: true, key: row => at(row, view.b), cell: row => at(row, view.b), kind: row => at(row, view.a) !== at(row, view.b) && 'hot' },
				{ id: 'change', name: 'Change', width: 130, right: true, down: true, first: true, key: row => this.rank(row), cell: row => this.change(row) },
				{ id: 'line', name: 'Over time', key: row => this.rank(row), cell: row => this.line(row) },
			],
		});
	}
	difference(row) { return numberOf(row.values[this.view.b] ?? null) - numberOf(row.values[this.view.a] ?? null); }
	rank(row) {
		if ((row.values[this.view.a] ?? '') === (row.values[this.view.b] ?? '')) return 0;
		return 1 + Math.abs(this.difference(row) || 0);
	}
	change(row) {
		const difference = this.difference(row), unit = / kB$/.test(row.values[this.view.b] ?? '') ? ' kB' : '';
		return difference ? `${difference > 0 ? '+' : '−'}${Math.abs(difference).toLocaleString('en-US')}${unit}` : '';
	}
	line(row) {
		const values = row.values.map(numberOf), told = values.filter(value => !Number.isNaN(value)), least = Math.min(...told), most = Math.max(...told);
		if (told.length < 2 || least === most) return '';
		const canvas = el('canvas', { 'aria-hidden': 'true' }), width = 240, height = 18, x = prepare(canvas, width, height);
		Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
		x.strokeStyle = color.accent;
		x.beginPath();
		values.forEach((value, k) => Number.isNaN(value) || x.lineTo(2 + k / (values.length - 1) * (width - 4), height - 2 - (value - least) / (most - least) * (height - 4)));
		x.stroke();
		return canvas;
	}
	draw() { this.table.set(this.model.processes[this.view.process].status); }
}
