// Pages of each class, counted by the block beforehand: over millions of pages a frame, a mapping's sum or another A or B
// adds up blocks, not pages.
const BLOCK = 64, MANY = 1 << 20;

export class Counted {
	// classes: of each page, below `kinds`.
	constructor(classes, kinds) {
		Object.assign(this, { classes, kinds, blocks: null });
		if (classes.length > MANY) this.countBlocks();
	}
	countBlocks() {
		const { classes, kinds } = this, blocks = new Uint8Array(Math.floor(classes.length / BLOCK) * kinds), fours = new Uint32Array(classes.buffer, classes.byteOffset, classes.length >> 2);
		for (let block = 0, i = 0; block < blocks.length; block += kinds, i += BLOCK) {
			let k = i >> 2;
			const first = fours[k], end = (i + BLOCK) >> 2;
			while (k < end && fours[k] === first) k++;
			// As most are, of one class.
			if (k === end && first === classes[i] * 0x1010101) blocks[block + classes[i]] = BLOCK;
			else for (let page = i; page < i + BLOCK; page++) blocks[block + classes[page]]++;
		}
		this.blocks = blocks;
	}
	addPages(counts, at, index, end) {
		const { classes } = this;
		for (let i = index; i < end; i++) counts[at + classes[i]]++;
	}
	// Pages from an index on: counts[at + class] grows.
	add(counts, at, index, count) {
		const first = Math.ceil(index / BLOCK), last = Math.floor((index + count) / BLOCK), { blocks, kinds } = this;
		if (!blocks || last <= first) return this.addPages(counts, at, index, index + count);
		this.addPages(counts, at, index, first * BLOCK);
		for (let block = first * kinds; block < last * kinds; block += kinds)
			for (let c = 0; c < kinds; c++) counts[at + c] += blocks[block + c];
		this.addPages(counts, at, last * BLOCK, index + count);
	}
}
