// node bundle.mjs: makes bundle.html of page.html, style.css and js/.  Needs esbuild; script/report-bundle gets it.
// The first lines say of which sources it is, so that a test without node can see whether they changed since.
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRequire } from 'node:module';

const here = path.dirname(fileURLToPath(import.meta.url)), { buildSync } = createRequire(path.join(process.cwd(), 'x.js'))('esbuild');
const read = name => fs.readFileSync(path.join(here, name), 'utf8');
const sources = ['page.html', 'style.css', ...fs.readdirSync(path.join(here, 'js')).sort().map(name => `js/${name}`)];
const sum = crypto.createHash('sha256');
for (const name of sources) sum.update(name + '\n' + read(name));

const options = { minify: true, charset: 'utf8', write: false, legalComments: 'none', absWorkingDir: here };
const script = buildSync({ ...options, entryPoints: ['js/main.js'], bundle: true, format: 'esm', target: 'es2022' }).outputFiles[0].text.trim();
const style = buildSync({ ...options, entryPoints: ['style.css'] }).outputFiles[0].text.trim();
const hash = text => `'sha256-${crypto.createHash('sha256').update(text).digest('base64')}'`;
const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; base-uri 'none'; form-action 'none'`;
const page = read('page.html').replace('<!-- vmsnap report -->', () => `<!-- vmsnap report -->\n<!-- of ${sum.digest('hex')} -->`)
	.replace('@@POLICY@@', () => policy).replace('@@STYLE@@', () => style).replace('@@SCRIPT@@', () => script);
fs.writeFileSync(path.join(here, 'bundle.html'), page);
console.log(`script ${script.length}, style ${style.length}, page ${page.length} bytes`);
