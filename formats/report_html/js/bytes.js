// Bytes out of the document: base64 of a zlib stream; and numbers out of bytes, which never runs past their end.

export class Damaged extends Error {
	constructor(why = '') { super(`the data of this page is damaged${why && ` (${why})`}`); }
}
// A number as all of ours are: whole, and not above what it may be.
export function whole(value, most = Number.MAX_SAFE_INTEGER) {
	if (!(Number.isInteger(value) && value >= 0 && value <= most)) throw new Damaged();
	return value;
}
export function listOf(value, check) {
	if (!Array.isArray(value)) throw new Damaged();
	return value.map(check);
}

function fromBase64(text) {
	if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
	const binary = atob(text), bytes = new Uint8Array(binary.length);
	for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
	return bytes;
}

export async function inflate(text) {
	if (!text.trim()) return new Uint8Array(0);
	try {
		const stream = new Blob([fromBase64(text.trim())]).stream().pipeThrough(new DecompressionStream('deflate'));
		return new Uint8Array(await new Response(stream).arrayBuffer());
	} catch {
		throw new Damaged();
	}
}

// LEB128, as floating point numbers: all of ours are below 2^53.
export class Reader {
	constructor(bytes, at, end) {
		if (!(at >= 0 && at <= end && end <= bytes.length)) throw new Damaged();
		Object.assign(this, { bytes, at, end });
	}
	more() { return this.at < this.end; }
	number() {
		let value = 0, unit = 1, byte;
		do {
			if (this.at >= this.end || unit > 2 ** 56) throw new Damaged();
			byte = this.bytes[this.at++];
			value += (byte & 127) * unit;
			unit *= 128;
		} while (byte & 128);
		return value;
	}
	bytesOf(count) {
		if (!(count <= this.end - this.at)) throw new Damaged();
		return this.bytes.subarray(this.at, this.at += count);
	}
	signed() {
		const value = this.number();
		return value % 2 ? -(value + 1) / 2 : value / 2;
	}
}
