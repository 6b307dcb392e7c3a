// What pages held before and hold now, of bytes that changed: inflated only when somebody asks; and which variables those are.
import { Damaged, Reader, inflate } from './bytes.js';

const UNKNOWN = -1;

export class Contents {
	constructor(records) { this.records = records; }

	static async load(model, text) {
		const bytes = await inflate(text), reader = new Reader(bytes, 0, bytes.length), records = [];
		while (reader.more()) {
			const process = reader.number(), instant = reader.number(), page = reader.number(), offset = reader.number(), length = reader.number();
			if (!(model.processes[process] && instant < model.instants.length && length && offset + length <= model.pageSize)) throw new Damaged();
			records.push({ process, instant, page, offset, before: reader.bytesOf(length), now: reader.bytesOf(length) });
		}
		return new Contents(records);
	}
	// Of each page in [from, to) some of whose bytes are others at B than at A: before and now, -1 where they are not told.
	changes(process, a, b, from, to, pageSize) {
		const out = new Map();
		for (const record of this.records) {
			if (record.process !== process || record.instant <= a || record.instant > b || record.page < from || record.page >= to) continue;
			if (!out.has(record.page)) out.set(record.page, { before: new Int16Array(pageSize).fill(UNKNOWN), now: new Int16Array(pageSize).fill(UNKNOWN) });
			const { before, now } = out.get(record.page);
			for (let i = 0; i < record.now.length; i++) {
				const at = record.offset + i;
				if (before[at] === UNKNOWN) before[at] = record.before[i];
				now[at] = record.now[i];
			}
		}
		for (const [page, { before, now }] of out) if (now.every((byte, i) => byte === before[i])) out.delete(page);
		return new Map([...out].sort(([x], [y]) => x - y));
	}
}

// Variables, or parts of them, in [from, to) that hold something else at B than at A.
export function valuesIn(model, process, a, b, from, to) {
	const out = new Map();
	for (const value of model.values) {
		if (value.process !== process || value.instant <= a || value.instant > b || value.page >= to || value.address + value.size <= from * model.pageSize) continue;
		const key = `${value.address} ${value.size} ${value.name}`, first = out.get(key);
		out.set(key, { ...value, before: first ? first.before : value.before });
	}
	return [...out.values()].filter(value => value.before !== value.now);
}
// Whether it was compared what it held, in each step from A to B.
export function comparedThrough(model, process, a, b) {
	const { present } = model.track(process, 'states');
	for (let k = a + 1; k <= b; k++) if (present[k] && !model.compared.has(`${process} ${k}`)) return false;
	return true;
}
