// The shape of Northwind, a trader in food: keys of five characters, composite keys, real numbers for money, pictures in
// bytea that are too large to stand in their rows. https://github.com/pthom/northwind_psql
import type { WholeSchema } from './whole-schema.js'

const place = 'address varchar(60), city varchar(15), region varchar(15), postal_code varchar(10), country varchar(15)'
/** Some 8 kB that do not compress. */
const picture = (n: string): string =>
  `(SELECT decode(string_agg(md5(k || '.' || ${n}), ''), 'hex') FROM generate_series(1, 500) k)`
/** `ALFKI` and its like: five characters, and some of fewer, which are filled up. */
const customerKey = (g: string): string =>
  `CASE WHEN ${g} % 7 = 0 THEN 'C' || ${g} ELSE chr(65 + ${g} % 26) || 'X' || lpad(${g}::text, 3, '0') END`

export const northwind: WholeSchema = {
  name: 'Northwind',
  mode: 'binary',
  unchanged: ['photo', 'picture'],
  made: `
    CREATE TABLE categories (category_id smallint PRIMARY KEY, category_name varchar(15) NOT NULL, description text, picture bytea);
    CREATE TABLE customer_demographics (customer_type_id char(5) PRIMARY KEY, customer_desc text);
    CREATE TABLE customers (customer_id char(5) PRIMARY KEY, company_name varchar(40) NOT NULL, contact_name varchar(30),
      contact_title varchar(30), ${place}, phone varchar(24), fax varchar(24));
    CREATE TABLE customer_customer_demo (customer_id char(5) NOT NULL REFERENCES customers ON UPDATE CASCADE,
      customer_type_id char(5) NOT NULL REFERENCES customer_demographics, PRIMARY KEY (customer_id, customer_type_id));
    CREATE TABLE employees (employee_id smallint PRIMARY KEY, last_name varchar(20) NOT NULL, first_name varchar(10) NOT NULL,
      title varchar(30), title_of_courtesy varchar(25), birth_date date, hire_date date, ${place}, home_phone varchar(24),
      extension varchar(4), photo bytea, notes text, reports_to smallint REFERENCES employees, photo_path varchar(255));
    CREATE TABLE suppliers (supplier_id smallint PRIMARY KEY, company_name varchar(40) NOT NULL, contact_name varchar(30),
      contact_title varchar(30), ${place}, phone varchar(24), fax varchar(24), homepage text);
    CREATE TABLE products (product_id smallint PRIMARY KEY, product_name varchar(40) NOT NULL, supplier_id smallint REFERENCES suppliers,
      category_id smallint REFERENCES categories ON UPDATE CASCADE, quantity_per_unit varchar(20), unit_price real,
      units_in_stock smallint, units_on_order smallint, reorder_level smallint, discontinued int NOT NULL);
    CREATE TABLE region (region_id smallint PRIMARY KEY, region_description varchar(60) NOT NULL);
    CREATE TABLE territories (territory_id varchar(20) PRIMARY KEY, territory_description varchar(60) NOT NULL,
      region_id smallint NOT NULL REFERENCES region);
    CREATE TABLE employee_territories (employee_id smallint NOT NULL REFERENCES employees,
      territory_id varchar(20) NOT NULL REFERENCES territories, PRIMARY KEY (employee_id, territory_id));
    CREATE TABLE shippers (shipper_id smallint PRIMARY KEY, company_name varchar(40) NOT NULL, phone varchar(24));
    CREATE TABLE orders (order_id smallint PRIMARY KEY, customer_id char(5) REFERENCES customers ON UPDATE CASCADE, employee_id smallint REFERENCES employees,
      order_date date, required_date date, shipped_date date, ship_via smallint REFERENCES shippers, freight real,
      ship_name varchar(40), ship_address varchar(60), ship_city varchar(15), ship_region varchar(15),
      ship_postal_code varchar(10), ship_country varchar(15));
    CREATE TABLE order_details (order_id smallint NOT NULL REFERENCES orders ON DELETE CASCADE, product_id smallint NOT NULL REFERENCES products,
      unit_price real NOT NULL, quantity smallint NOT NULL, discount real NOT NULL, PRIMARY KEY (order_id, product_id));
    CREATE TABLE us_states (state_id smallint PRIMARY KEY, state_name varchar(100), state_abbr varchar(2), state_region varchar(50))`,
  seed: [
    `INSERT INTO categories SELECT g, 'Category ' || g, 'Sweet and savoury, ' || g, ${picture('g')} FROM generate_series(1, 8) g;
     INSERT INTO customer_demographics VALUES ('big', 'Large'), ('small', NULL);
     INSERT INTO customers (customer_id, company_name, contact_name, city, region)
       SELECT ${customerKey('g')}, 'Käse & Söhne ' || g, 'Contact ' || g, 'México D.F.', CASE WHEN g % 3 = 0 THEN '' END FROM generate_series(1, 90) g;
     INSERT INTO customer_customer_demo SELECT customer_id, CASE WHEN ascii(customer_id) % 2 = 0 THEN 'big' ELSE 'small' END FROM customers`,
    `INSERT INTO employees (employee_id, last_name, first_name, birth_date, hire_date, photo, notes, reports_to)
       SELECT g, 'Davolio ' || g, 'Nancy', date '1948-12-08' + g * 500, date '1992-05-01' + g, CASE WHEN g % 4 = 0 THEN '\\x'::bytea ELSE ${picture('-g')} END,
         repeat('Education includes a BA in psychology. ', 3), nullif(g / 2, 0) FROM generate_series(1, 9) g;
     INSERT INTO region VALUES (1, 'Eastern'), (2, 'Western');
     INSERT INTO territories SELECT lpad(g::text, 5, '0'), 'Territory ' || g, g % 2 + 1 FROM generate_series(1, 50) g;
     INSERT INTO employee_territories SELECT g % 9 + 1, lpad(g::text, 5, '0') FROM generate_series(1, 50) g;
     INSERT INTO shippers SELECT g, 'Shipper ' || g, '(503) 555-' || g FROM generate_series(1, 3) g;
     INSERT INTO us_states SELECT g, 'State ' || g, chr(64 + g % 26 + 1) || 'X', 'south' FROM generate_series(1, 51) g;
     INSERT INTO suppliers (supplier_id, company_name, homepage) SELECT g, 'Supplier ' || g, '#http://example.com/' || g || '#' FROM generate_series(1, 29) g`,
    `INSERT INTO products SELECT g, 'Chai ' || g, g % 29 + 1, g % 8 + 1, '10 boxes', g * 1.37, g % 120, 0, 10, g % 2 FROM generate_series(1, 77) g;
     INSERT INTO orders (order_id, customer_id, employee_id, order_date, shipped_date, ship_via, freight, ship_name)
       SELECT 10247 + g, ${customerKey('(g % 90 + 1)')}, g % 9 + 1, date '1996-07-04' + g, CASE WHEN g % 5 > 0 THEN date '1996-07-10' + g END, g % 3 + 1, g * 3.14 / 7, 'Vins ' || g
       FROM generate_series(1, 400) g;
     INSERT INTO order_details SELECT 10247 + o, (o * 5 + p * 11) % 77 + 1, (o + p) * 0.7, o % 50 + 1, (ARRAY[0, 0.05, 0.15, 0.25])[o % 4 + 1]
       FROM generate_series(1, 400) o, generate_series(1, 3) p`,
  ],
  work: [
    'UPDATE products SET unit_price = unit_price * 1.1, units_on_order = units_on_order + 5 WHERE discontinued = 0',
    // The picture stays, and is not sent.
    `UPDATE categories SET description = description || '!' WHERE category_id < 6;
     UPDATE employees SET notes = NULL, title = 'Vice President' WHERE employee_id IN (1, 2, 4)`,
    `UPDATE categories SET picture = ${picture('category_id + 100')} WHERE category_id = 2;
     UPDATE categories SET category_name = 'Confections', picture = NULL WHERE category_id = 3`,
    // The picture goes with its row to another key, and is not sent there either.
    `UPDATE categories SET category_id = 80 WHERE category_id = 5`,
    `UPDATE categories SET description = 'moved' WHERE category_id = 80`,
    `UPDATE orders SET customer_id = NULL WHERE customer_id = 'C7'; DELETE FROM customer_customer_demo WHERE customer_id = 'C7'; DELETE FROM customers WHERE customer_id = 'C7'`,
    `UPDATE customers SET customer_id = 'Z' || substr(customer_id, 2, 2) WHERE customer_id IN ('C14', 'C21')`,
    'DELETE FROM orders WHERE order_id % 10 = 3; UPDATE order_details SET product_id = 77 WHERE order_id = 10248 AND product_id = 17',
    'BEGIN; DELETE FROM order_details; TRUNCATE us_states; ROLLBACK',
    `UPDATE order_details SET discount = 0.2, quantity = quantity - 1 WHERE order_id < 10300; UPDATE orders SET shipped_date = order_date + 9, freight = 0 WHERE shipped_date IS NULL`,
    `TRUNCATE us_states, employee_territories; INSERT INTO us_states VALUES (1, 'Alabama', 'AL', 'south'), (2, '', NULL, NULL);
     INSERT INTO employee_territories VALUES (1, '00001'), (1, '00002'); UPDATE employee_territories SET employee_id = 2 WHERE territory_id = '00002'`,
  ],
}
