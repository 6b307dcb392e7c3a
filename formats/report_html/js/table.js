// A table that has only the rows in sight in the document; a real one, for readers and for the keyboard.  A column with
// `sparse` is left out while it has nothing to say.
import { el } from './ui.js';

const ROW = 26;

export class Table {
	// columns: { id, name, width, right, mono, down (sorted so at first), first, sparse, key(row), cell(row), hint(row), kind(row) }
	constructor(host, { label, columns, pick, totals }) {
		Object.assign(this, { host, columns, pick, totals, rows: [], sorted: [], shown: columns, at: -1, drawn: '' });
		this.lead = columns.find(column => column.first) ?? columns[0];
		this.sortBy(this.lead);
		Object.assign(this, { head: el('tr'), group: el('colgroup'), body: el('tbody'), foot: el('tfoot') });
		this.table = el('table', { 'aria-label': label, tabindex: 0 }, this.group, el('thead', {}, this.head), this.body, this.foot);
		host.replaceChildren(this.table);
		this.listen();
	}
	sortBy(column) {
		this.direction = this.sorting === column ? -this.direction : column.down ? -1 : 1;
		this.sorting = column;
	}
	listen() {
		const rowOf = event => event.target.closest('tr.row');
		this.host.addEventListener('scroll', () => this.draw());
		this.body.addEventListener('click', event => rowOf(event) && this.choose(+rowOf(event).dataset.row));
		this.body.addEventListener('dblclick', event => rowOf(event) && this.choose(+rowOf(event).dataset.row, true));
		this.table.addEventListener('keydown', event => this.key(event));
	}
	key(event) {
		const page = Math.floor(this.host.clientHeight / ROW) - 3;
		const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9 }[event.key];
		if (step) {
			event.preventDefault();
			this.choose(this.at + step);
		} else if (event.key === 'Enter' && event.target === this.table && this.sorted[this.at]) {
			event.preventDefault();
			this.pick(this.sorted[this.at], true);
		}
	}
	set(rows) {
		this.rows = rows;
		this.at = -1;
		this.shown = this.columns.filter(column => !column.sparse || rows.some(row => column.key(row)));
		if (!this.shown.includes(this.sorting)) this.sortBy(this.lead);
		this.table.setAttribute('aria-rowcount', rows.length + 1);
		this.putHeadings();
		this.putTotals();
		this.sort();
	}
	putHeadings() {
		this.group.replaceChildren(...this.shown.map(({ width }) => el('col', { style: { width: width ? `${width}px` : '' } })));
		this.headings = this.shown.map(column => el('th', { class: column.right && 'right', scope: 'col' }, el('button', { type: 'button', title: column.title, onclick: () => {
			this.sortBy(column);
			this.sort();
		} }, column.name)));
		this.head.replaceChildren(...this.headings);
	}
	putTotals() {
		const totals = this.totals?.(this.rows);
		this.foot.replaceChildren(...totals ? [el('tr', { class: 'total' }, this.shown.map(column => el('td', { class: column.right && 'right' }, totals[column.id] ?? '')))] : []);
	}
	sort() {
		const { key } = this.sorting, { direction } = this;
		this.sorted = this.rows.map(row => [key(row), row]).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * direction).map(([, row]) => row);
		this.shown.forEach((column, i) => {
			if (column === this.sorting) this.headings[i].setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending');
			else this.headings[i].removeAttribute('aria-sort');
		});
		this.draw(true);
	}
	draw(again) {
		if (!this.host.clientHeight) return;
		const from = Math.max(0, Math.floor(this.host.scrollTop / ROW) - 6), to = Math.min(this.sorted.length, from + Math.ceil(this.host.clientHeight / ROW) + 12);
		if (!again && this.drawn === `${from} ${to}`) return;
		this.drawn = `${from} ${to}`;
		const room = count => el('tr', { class: 'room', 'aria-hidden': 'true' }, el('td', { colspan: this.shown.length, style: { height: `${count * ROW}px` } }));
		const rows = [];
		for (let i = from; i < to; i++) rows.push(this.putRow(i));
		this.body.replaceChildren(room(from), ...rows, room(this.sorted.length - to));
	}
	putRow(i) {
		const row = this.sorted[i];
		return el('tr', { class: 'row', 'aria-rowindex': i + 2, 'aria-selected': String(i === this.at), 'data-row': i }, this.shown.map(column => {
			const kinds = [column.right && 'right', column.mono && 'mono', column.kind?.(row)].filter(Boolean);
			return el('td', { class: kinds.join(' ') || undefined, title: column.hint?.(row) }, column.cell(row));
		}));
	}
	choose(i, enter) {
		this.at = Math.max(0, Math.min(this.sorted.length - 1, i));
		const top = this.at * ROW, room = this.host.clientHeight - 3 * ROW;
		if (top < this.host.scrollTop) this.host.scrollTop = top;
		else if (top > this.host.scrollTop + room) this.host.scrollTop = top - room;
		this.draw(true);
		if (this.sorted[this.at]) this.pick(this.sorted[this.at], enter);
	}
}
