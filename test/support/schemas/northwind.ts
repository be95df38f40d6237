// The shape of Northwind as it is used on PostgreSQL: short keys, blank-padded texts without a length, single-precision
// prices, pictures in bytea, and tables that hold nothing but their key. The rows are generated.
import type { WholeSchema } from './whole-schema.js'

const place = `address varchar(60), city varchar(15), region varchar(15), postal_code varchar(10), country varchar(15)`

export const northwind: WholeSchema = {
  name: 'Northwind',
  lake: 'folder',
  unchanged: { 'public.categories': 'picture', 'public.employees': 'photo' },
  made: `
    CREATE TABLE categories (category_id smallint PRIMARY KEY, category_name varchar(15) NOT NULL, description text, picture bytea);
    CREATE TABLE customer_demographics (customer_type_id bpchar PRIMARY KEY, customer_desc text);
    CREATE TABLE customers (customer_id bpchar PRIMARY KEY, company_name varchar(40) NOT NULL, contact_name varchar(30),
      contact_title varchar(30), ${place}, phone varchar(24), fax varchar(24));
    CREATE TABLE customer_customer_demo (customer_id bpchar REFERENCES customers, customer_type_id bpchar REFERENCES customer_demographics,
      PRIMARY KEY (customer_id, customer_type_id));
    CREATE TABLE employees (employee_id smallint PRIMARY KEY, last_name varchar(20) NOT NULL, first_name varchar(10) NOT NULL,
      title varchar(30), title_of_courtesy varchar(25), birth_date date, hire_date date, ${place}, home_phone varchar(24),
      extension varchar(4), photo bytea, notes text, reports_to smallint REFERENCES employees, photo_path varchar(255));
    CREATE TABLE suppliers (supplier_id smallint PRIMARY KEY, company_name varchar(40) NOT NULL, contact_name varchar(30),
      contact_title varchar(30), ${place}, phone varchar(24), fax varchar(24), homepage text);
    CREATE TABLE products (product_id smallint PRIMARY KEY, product_name varchar(40) NOT NULL, supplier_id smallint REFERENCES suppliers,
      category_id smallint REFERENCES categories, quantity_per_unit varchar(20), unit_price real, units_in_stock smallint,
      units_on_order smallint, reorder_level smallint, discontinued integer NOT NULL);
    CREATE TABLE region (region_id smallint PRIMARY KEY, region_description bpchar NOT NULL);
    CREATE TABLE shippers (shipper_id smallint PRIMARY KEY, company_name varchar(40) NOT NULL, phone varchar(24));
    CREATE TABLE orders (order_id smallint PRIMARY KEY, customer_id bpchar REFERENCES customers, employee_id smallint REFERENCES employees,
      order_date date, required_date date, shipped_date date, ship_via smallint REFERENCES shippers, freight real, ship_name varchar(40),
      ship_address varchar(60), ship_city varchar(15), ship_region varchar(15), ship_postal_code varchar(10), ship_country varchar(15));
    CREATE TABLE territories (territory_id varchar(20) PRIMARY KEY, territory_description bpchar NOT NULL,
      region_id smallint NOT NULL REFERENCES region);
    CREATE TABLE employee_territories (employee_id smallint REFERENCES employees, territory_id varchar(20) REFERENCES territories,
      PRIMARY KEY (employee_id, territory_id));
    CREATE TABLE order_details (order_id smallint REFERENCES orders, product_id smallint REFERENCES products, unit_price real NOT NULL,
      quantity smallint NOT NULL, discount real NOT NULL, PRIMARY KEY (order_id, product_id));
    CREATE TABLE us_states (state_id smallint PRIMARY KEY, state_name varchar(100), state_abbr varchar(2), state_region varchar(50))`,
  work: [
    `INSERT INTO categories SELECT g, 'Category ' || g, 'All of kind ' || g, CASE g WHEN 8 THEN '' ELSE ${picture('g', 700)} END FROM generate_series(1, 8) g;
     INSERT INTO categories VALUES (90, 'To be moved', 'has no products', ${picture('90', 900)}), (91, 'To be left', NULL, NULL);
     INSERT INTO customer_demographics VALUES ('LARGE     ', 'trailing blanks count'), ('small', NULL);
     INSERT INTO customers SELECT chr(65 + g % 26) || upper(substr(md5(g::text), 1, 4)), 'Firma Ä' || g, 'Contact ' || g, 'Owner', g || ' Rue d''Été', 'City ' || g % 12,
         CASE WHEN g % 3 = 0 THEN 'R' || g % 5 END, lpad(g::text, 5, '0'), 'Land ' || g % 6, '(1) 555-' || g, NULL FROM generate_series(1, 90) g;
     INSERT INTO customer_customer_demo SELECT customer_id, CASE WHEN region IS NULL THEN 'small' ELSE 'LARGE     ' END FROM customers;
     INSERT INTO employees SELECT g, 'Last ' || g, 'First ' || g, 'Sales', 'Dr.', date '1948-12-08' + g * 400, date '1992-05-01' + g, NULL, 'Seattle', 'WA', '98122', 'USA',
         '(206) 555', g::text, ${picture('g + 100', 1500)}, repeat('Speaks many languages. ', 20), CASE WHEN g > 1 THEN 1 + g % (g - 1) END, 'http://example.org/' || g FROM generate_series(1, 9) g;
     INSERT INTO suppliers SELECT g, 'Supplier ' || g, NULL, NULL, NULL, 'Ōsaka', NULL, NULL, 'Japan', NULL, NULL, CASE WHEN g % 2 = 0 THEN '#http://example.org#' END FROM generate_series(1, 29) g;
     INSERT INTO products SELECT g, 'Product ' || g, 1 + g % 29, 1 + g % 8, g % 24 || ' boxes', (g * 1.37)::real, g % 120, g % 3 * 10, g % 4 * 5, g % 2 FROM generate_series(1, 77) g`,
    `INSERT INTO region SELECT g, rpad('Region ' || g, 50) FROM generate_series(1, 4) g;
     INSERT INTO shippers SELECT g, 'Shipper ' || g, NULL FROM generate_series(1, 6) g;
     INSERT INTO territories SELECT lpad((g * 1581)::text, 5, '0'), rpad('Territory ' || g, 50), 1 + g % 4 FROM generate_series(1, 53) g;
     INSERT INTO employee_territories SELECT 1 + row_number() OVER (ORDER BY territory_id) % 9, territory_id FROM territories;
     INSERT INTO us_states SELECT g, 'State ' || g, chr(65 + g % 26) || chr(65 + g / 2), 'south' FROM generate_series(1, 51) g`,
    ...ordered(10_248, 10_700),
    `UPDATE orders SET shipped_date = order_date + 7, freight = freight * 1.1 WHERE order_id % 6 > 0;
     UPDATE products p SET units_in_stock = greatest(0, units_in_stock - sold) FROM (SELECT product_id, sum(quantity) AS sold FROM order_details GROUP BY 1) d
      WHERE d.product_id = p.product_id`,
    `UPDATE products SET unit_price = unit_price * 1.05 WHERE discontinued = 0; UPDATE products SET unit_price = NULL WHERE product_id % 25 = 0`,
    // Their pictures are too large for a page, and are not sent again: not even where the key is another.
    `UPDATE categories SET description = description || ', now cheaper' WHERE category_id < 8`,
    `UPDATE categories SET category_id = 92, description = 'moved' WHERE category_id = 90; DELETE FROM categories WHERE category_id = 91`,
    `UPDATE employees SET title = 'Manager' WHERE employee_id % 2 = 0; UPDATE employees SET photo = ${picture('employee_id + 300', 1200)} WHERE employee_id = 4`,
    `UPDATE us_states SET state_id = state_id + 100 WHERE state_id % 5 = 0; UPDATE us_states SET state_region = NULL WHERE state_id % 7 = 0`,
    `UPDATE order_details SET product_id = 77 WHERE product_id = 3; UPDATE employee_territories SET employee_id = 9 WHERE employee_id = 2`,
    `DELETE FROM order_details WHERE order_id % 9 = 0; DELETE FROM orders WHERE order_id % 9 = 0`,
    'TRUNCATE customer_customer_demo, us_states',
    `INSERT INTO us_states VALUES (1, 'again', 'AA', NULL)`,
    ...ordered(10_701, 10_800),
  ],
}

/** Orders with three lines each. */
function ordered(from: number, to: number): string[] {
  return [
    `INSERT INTO orders SELECT g, c.customer_id, 1 + g % 9, date '1996-07-04' + g - 10248, date '1996-08-01' + g - 10248, NULL, 1 + g % 6, (g % 997 * 0.73)::real, c.company_name,
         c.address, c.city, c.region, c.postal_code, c.country
       FROM generate_series(${from}, ${to}) g
       JOIN (SELECT row_number() OVER (ORDER BY customer_id) - 1 AS n, * FROM customers) c ON c.n = g % 90;
     INSERT INTO order_details SELECT g, 1 + (g * 7 + k * 25) % 76, (g % 83 * 0.31 + k)::real, 1 + g % 40, (ARRAY[0, 0.05, 0.15])[k]::real
       FROM generate_series(${from}, ${to}) g, generate_series(1, 3) k`,
  ]
}

/** Bytes that do not compress: `size` times sixteen. */
function picture(seed: string, size: number): string {
  return `(SELECT decode(string_agg(md5((${seed})::text || ':' || k), '' ORDER BY k), 'hex') FROM generate_series(1, ${size}) k)`
}
