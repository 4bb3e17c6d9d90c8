/** The sample repository's code and tests. `src/invoice.js` has a mistake on purpose: it rounds the tax on each line. */
export const sources: Record<string, string> = {
  'src/money.js': `/** Adds amounts in cents. */
export function sum(amounts) {
  return amounts.reduce((total, cents) => total + cents, 0);
}

/** Turns cents into text, such as 1250 into "12.50 EUR". */
export function formatMoney(cents, currency = 'EUR') {
  if (!Number.isInteger(cents)) throw new TypeError('Money is whole cents, got ' + cents);
  const sign = cents < 0 ? '-' : '';
  const digits = String(Math.abs(cents)).padStart(3, '0');
  return sign + digits.slice(0, -2) + '.' + digits.slice(-2) + ' ' + currency;
}
`,
  'src/catalog.js': `const products = new Map([
  ['apple', { name: 'Apple', cents: 99, tax: 0.19 }],
  ['bread', { name: 'Rye bread', cents: 420, tax: 0.07 }],
  ['coffee', { name: 'Coffee beans, 250 g', cents: 890, tax: 0.07 }],
  ['mug', { name: 'Mug', cents: 1250, tax: 0.19 }],
]);

/** All products with their ids. */
export function listProducts() {
  return [...products].map(([id, product]) => ({ id, ...product }));
}

/** One product; throws when there is none with this id. */
export function findProduct(id) {
  const product = products.get(id);
  if (!product) throw new Error('There is no product "' + id + '"');
  return { id, ...product };
}
`,
  'src/cart.js': `import { findProduct } from './catalog.js';
import { sum } from './money.js';

/** A cart without anything in it. */
export function emptyCart() {
  return { items: [] };
}

/** A new cart with more of a product in it. */
export function addToCart(cart, id, count = 1) {
  if (!Number.isInteger(count) || count < 1) throw new RangeError('A count is a whole number from 1, got ' + count);
  const product = findProduct(id);
  const known = cart.items.find((item) => item.product.id === id);
  if (!known) return { ...cart, items: [...cart.items, { product, count }] };
  return { ...cart, items: cart.items.map((item) => (item === known ? { product, count: item.count + count } : item)) };
}

/** What the cart costs, in cents, before tax. */
export function cartTotal(cart) {
  return sum(cart.items.map((item) => item.product.cents * item.count));
}
`,
  'src/invoice.js': `import { cartTotal } from './cart.js';
import { formatMoney, sum } from './money.js';

/** The tax on a cart, in cents. */
export function taxOf(cart) {
  const perItem = cart.items.map((item) => Math.floor(item.product.cents * item.product.tax) * item.count);
  return sum(perItem);
}

/** An invoice as data: its lines, net total, tax and what is to pay. */
export function makeInvoice(number, cart) {
  const net = cartTotal(cart);
  const tax = taxOf(cart);
  const lines = cart.items.map((item) => ({ text: item.count + ' x ' + item.product.name, cents: item.product.cents * item.count }));
  return { number, lines, net, tax, total: net + tax };
}

/** An invoice as text, one line each. */
export function printInvoice(invoice) {
  const rows = invoice.lines.map((line) => [line.text, line.cents]);
  rows.push(['Net', invoice.net], ['Tax', invoice.tax], ['Total', invoice.total]);
  const width = Math.max(...rows.map(([text]) => text.length));
  return ['Invoice ' + invoice.number, ...rows.map(([text, cents]) => text.padEnd(width) + '  ' + formatMoney(cents))].join('\\n');
}
`,
  'src/server.js': `import { createServer } from 'node:http';
import { addToCart, emptyCart } from './cart.js';
import { listProducts } from './catalog.js';
import { makeInvoice, printInvoice } from './invoice.js';

const sample = addToCart(addToCart(emptyCart(), 'coffee', 2), 'mug');

const pages = {
  '/health': () => ({ type: 'application/json', body: JSON.stringify({ status: 'ok' }) }),
  '/products': () => ({ type: 'application/json', body: JSON.stringify(listProducts()) }),
  '/invoices/1': () => ({ type: 'text/plain', body: printInvoice(makeInvoice(1, sample)) }),
};

const server = createServer((request, response) => {
  const page = pages[request.url];
  if (!page) return response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found\\n');
  const { type, body } = page();
  response.writeHead(200, { 'content-type': type }).end(body + '\\n');
  console.log(request.method + ' ' + request.url + ' 200');
});

server.listen(Number(process.env.PORT ?? 4173), '127.0.0.1', () => {
  console.log('Corner Shop is open on http://127.0.0.1:' + server.address().port);
});
`,
  'test/money.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatMoney, sum } from '../src/money.js';

test('adds cents', () => {
  assert.equal(sum([]), 0);
  assert.equal(sum([99, 1, 250]), 350);
});

test('prints money', () => {
  assert.equal(formatMoney(0), '0.00 EUR');
  assert.equal(formatMoney(5), '0.05 EUR');
  assert.equal(formatMoney(-1250, 'USD'), '-12.50 USD');
});

test('refuses fractions of a cent', () => {
  assert.throws(() => formatMoney(0.5), TypeError);
});
`,
  'test/cart.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addToCart, cartTotal, emptyCart } from '../src/cart.js';

test('an empty cart costs nothing', () => {
  assert.equal(cartTotal(emptyCart()), 0);
});

test('counts the same product together', () => {
  const cart = addToCart(addToCart(emptyCart(), 'apple', 2), 'apple');
  assert.equal(cart.items.length, 1);
  assert.equal(cartTotal(cart), 297);
});

test('refuses what the shop does not have', () => {
  assert.throws(() => addToCart(emptyCart(), 'submarine'), /no product "submarine"/);
});
`,
  'test/invoice.test.js': `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addToCart, emptyCart } from '../src/cart.js';
import { makeInvoice, printInvoice, taxOf } from '../src/invoice.js';

test('adds up net, tax and total', () => {
  const invoice = makeInvoice(7, addToCart(emptyCart(), 'bread'));
  assert.deepEqual([invoice.net, invoice.tax, invoice.total], [420, 29, 449]);
});

test('rounds the tax once, on the whole invoice', () => {
  assert.equal(taxOf(addToCart(emptyCart(), 'apple', 3)), 56);
});

test('prints one line each', () => {
  const text = printInvoice(makeInvoice(1, addToCart(emptyCart(), 'mug')));
  assert.match(text, /^Invoice 1\\n1 x Mug +12\\.50 EUR\\nNet +12\\.50 EUR\\n/);
});
`,
};
