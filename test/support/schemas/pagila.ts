// The shape of pagila, which is Sakila for PostgreSQL, a shop that rents films: an enum, a domain, an array, a full text that
// a trigger keeps, triggers for the time of the last change, payments in a partition a month, keys in a circle between
// shops and their staff. https://github.com/devrimgunduz/pagila
import type { WholeSchema } from './whole-schema.js'

const changed = 'last_update timestamptz NOT NULL DEFAULT now()'
const withTimes = [
  'actor',
  'address',
  'category',
  'city',
  'country',
  'customer',
  'film',
  'film_actor',
  'film_category',
  'inventory',
  'language',
  'rental',
  'staff',
  'store',
]
const MONTHS = [1, 2, 3, 4, 5, 6]
const partition = (month: number): string =>
  `CREATE TABLE payment_p2022_0${month} PARTITION OF payment FOR VALUES FROM ('2022-0${month}-01 00:00:00+00') TO ('2022-0${month + 1}-01 00:00:00+00')`
const follows = 'ON UPDATE CASCADE ON DELETE RESTRICT'

export const pagila: WholeSchema = {
  name: 'pagila',
  // For the full text.
  mode: 'text',
  unchanged: [],
  made: `
    CREATE TYPE mpaa_rating AS ENUM ('G', 'PG', 'PG-13', 'R', 'NC-17');
    CREATE DOMAIN year AS int CONSTRAINT year_check CHECK (VALUE >= 1901 AND VALUE <= 2155);
    CREATE FUNCTION last_updated() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.last_update = CURRENT_TIMESTAMP; RETURN NEW; END';
    CREATE TABLE actor (actor_id serial PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, ${changed});
    CREATE TABLE category (category_id serial PRIMARY KEY, name text NOT NULL, ${changed});
    CREATE TABLE country (country_id serial PRIMARY KEY, country text NOT NULL, ${changed});
    CREATE TABLE city (city_id serial PRIMARY KEY, city text NOT NULL, country_id int NOT NULL REFERENCES country ${follows}, ${changed});
    CREATE TABLE address (address_id serial PRIMARY KEY, address text NOT NULL, address2 text, district text NOT NULL,
      city_id int NOT NULL REFERENCES city ${follows}, postal_code text, phone text NOT NULL, ${changed});
    CREATE TABLE language (language_id serial PRIMARY KEY, name char(20) NOT NULL, ${changed});
    CREATE TABLE film (film_id serial PRIMARY KEY, title text NOT NULL, description text, release_year year,
      language_id int NOT NULL REFERENCES language ${follows}, original_language_id int REFERENCES language ${follows},
      rental_duration smallint NOT NULL DEFAULT 3, rental_rate numeric(4,2) NOT NULL DEFAULT 4.99, length smallint,
      replacement_cost numeric(5,2) NOT NULL DEFAULT 19.99, rating mpaa_rating DEFAULT 'G', ${changed}, special_features text[], fulltext tsvector NOT NULL);
    CREATE INDEX film_fulltext_idx ON film USING gist (fulltext);
    CREATE TABLE film_actor (actor_id int NOT NULL REFERENCES actor ON UPDATE CASCADE ON DELETE CASCADE, film_id int NOT NULL REFERENCES film ON UPDATE CASCADE ON DELETE CASCADE,
      ${changed}, PRIMARY KEY (actor_id, film_id));
    CREATE TABLE film_category (film_id int NOT NULL REFERENCES film ON UPDATE CASCADE ON DELETE CASCADE, category_id int NOT NULL REFERENCES category ${follows},
      ${changed}, PRIMARY KEY (film_id, category_id));
    CREATE TABLE store (store_id serial PRIMARY KEY, manager_staff_id int NOT NULL UNIQUE, address_id int NOT NULL REFERENCES address ${follows}, ${changed});
    CREATE TABLE staff (staff_id serial PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, address_id int NOT NULL REFERENCES address ${follows},
      email text, store_id int NOT NULL REFERENCES store, active boolean NOT NULL DEFAULT true, username text NOT NULL, password text, ${changed}, picture bytea);
    ALTER TABLE store ADD FOREIGN KEY (manager_staff_id) REFERENCES staff DEFERRABLE INITIALLY DEFERRED;
    CREATE TABLE customer (customer_id serial PRIMARY KEY, store_id int NOT NULL REFERENCES store ${follows}, first_name text NOT NULL, last_name text NOT NULL,
      email text, address_id int NOT NULL REFERENCES address ${follows}, activebool boolean NOT NULL DEFAULT true, create_date date NOT NULL DEFAULT CURRENT_DATE,
      last_update timestamptz DEFAULT now(), active int);
    CREATE TABLE inventory (inventory_id serial PRIMARY KEY, film_id int NOT NULL REFERENCES film ON UPDATE CASCADE ON DELETE CASCADE, store_id int NOT NULL REFERENCES store ${follows}, ${changed});
    CREATE TABLE rental (rental_id serial PRIMARY KEY, rental_date timestamptz NOT NULL, inventory_id int NOT NULL REFERENCES inventory ON UPDATE CASCADE ON DELETE CASCADE,
      customer_id int NOT NULL REFERENCES customer ${follows}, return_date timestamptz, staff_id int NOT NULL REFERENCES staff, ${changed});
    CREATE UNIQUE INDEX rental_date_inventory_customer ON rental (rental_date, inventory_id, customer_id);
    CREATE TABLE payment (payment_id serial NOT NULL, customer_id int NOT NULL REFERENCES customer ${follows}, staff_id int NOT NULL REFERENCES staff, rental_id int NOT NULL REFERENCES rental ON DELETE CASCADE,
      amount numeric(5,2) NOT NULL, payment_date timestamptz NOT NULL, PRIMARY KEY (payment_date, payment_id)) PARTITION BY RANGE (payment_date);
    ${MONTHS.map(partition).join('; ')};
    CREATE TRIGGER film_fulltext_trigger BEFORE INSERT OR UPDATE ON film FOR EACH ROW
      EXECUTE FUNCTION tsvector_update_trigger('fulltext', 'pg_catalog.english', 'title', 'description');
    ${withTimes.map((table) => `CREATE TRIGGER last_updated BEFORE UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION last_updated()`).join('; ')};
    CREATE VIEW staff_list AS SELECT staff_id, first_name || ' ' || last_name AS name FROM staff`,
  seed: [
    `INSERT INTO actor (first_name, last_name) SELECT 'PENELOPE ' || g, 'O''GUINESS ' || g FROM generate_series(1, 60) g;
     INSERT INTO category (name) SELECT (ARRAY['Action', 'Sci-Fi', 'Música', 'Кино', '映画'])[g] FROM generate_series(1, 5) g;
     INSERT INTO country (country) SELECT 'Country ' || g FROM generate_series(1, 10) g;
     INSERT INTO city (city, country_id) SELECT 'Acuña ' || g, g % 10 + 1 FROM generate_series(1, 30) g;
     INSERT INTO address (address, address2, district, city_id, postal_code, phone)
       SELECT g || ' Hanoi Way', CASE g % 3 WHEN 0 THEN '' WHEN 1 THEN 'door "' || g || '"' END, 'QLD', g % 30 + 1, lpad(g::text, 5, '0'), '' FROM generate_series(1, 120) g;
     INSERT INTO language (name) VALUES ('English'), ('Italian'), ('日本語')`,
    `INSERT INTO film (title, description, release_year, language_id, original_language_id, rental_duration, rental_rate, length, rating, special_features)
       SELECT 'ACADEMY DINOSAUR ' || g, 'An Epic Drama of a Feminist''s ' || g || ' dogs, running in \\ the Rockies', CASE WHEN g % 11 > 0 THEN 1950 + g % 70 END, g % 3 + 1, nullif(g % 4, 0),
         g % 5 + 3, (ARRAY[0.99, 2.99, 4.99])[g % 3 + 1], nullif(g % 180, 7), (enum_range(NULL::mpaa_rating))[g % 6],
         CASE g % 5 WHEN 0 THEN NULL WHEN 1 THEN '{}' WHEN 2 THEN ARRAY['Trailers'] WHEN 3 THEN ARRAY['Deleted Scenes', 'Behind the Scenes'] ELSE ARRAY['a "b"', '\\', NULL, 'null', ''] END
       FROM generate_series(1, 200) g;
     INSERT INTO film_actor (actor_id, film_id) SELECT a, f FROM generate_series(1, 60) a, generate_series(1, 200) f WHERE (a * 7 + f) % 19 = 0;
     INSERT INTO film_category (film_id, category_id) SELECT g, g % 5 + 1 FROM generate_series(1, 200) g`,
    `INSERT INTO store (manager_staff_id, address_id) VALUES (1, 1), (2, 2);
     INSERT INTO staff (first_name, last_name, address_id, email, store_id, username, password, picture)
       VALUES ('Mike', 'Hillyer', 3, 'mike@example.com', 1, 'Mike', md5('1'), '\\x89504e470d0a5a0a00ff'), ('Jon', 'Stephens', 4, NULL, 2, 'Jon', NULL, NULL);
     INSERT INTO customer (store_id, first_name, last_name, email, address_id, activebool, create_date, active)
       SELECT g % 2 + 1, 'MARY ' || g, 'SMITH', 'm' || g || '@example.com', g + 4, g % 10 > 0, date '2022-02-14' - g, nullif(g % 3, 2) FROM generate_series(1, 100) g`,
    `INSERT INTO inventory (film_id, store_id) SELECT g % 200 + 1, g % 2 + 1 FROM generate_series(1, 300) g;
     INSERT INTO rental (rental_date, inventory_id, customer_id, return_date, staff_id)
       SELECT timestamptz '2022-01-01 00:53:30+00' + g * interval '9 hours', g % 300 + 1, g % 100 + 1, CASE WHEN g % 6 > 0 THEN timestamptz '2022-01-05 12:00:00.5+02' + g * interval '9 hours' END, g % 2 + 1
       FROM generate_series(1, 450) g;
     INSERT INTO payment (customer_id, staff_id, rental_id, amount, payment_date) SELECT customer_id, staff_id, rental_id, 0.99 + rental_id % 11, rental_date + interval '1 minute' FROM rental`,
  ],
  work: [
    `UPDATE film SET rental_rate = rental_rate + 0.5 WHERE rating = 'PG-13'; UPDATE film SET rating = 'NC-17', release_year = 2155 WHERE film_id < 5`,
    // The full text follows the title.
    `UPDATE film SET title = 'ACE GOLDFINGER''s revenge', special_features = array_append(special_features, 'Commentaries') WHERE film_id BETWEEN 20 AND 30`,
    `UPDATE film SET film_id = film_id + 1000 WHERE film_id BETWEEN 40 AND 45`,
    'DELETE FROM film WHERE film_id BETWEEN 100 AND 110',
    // Into another month, and so into another partition; and only another key.
    `UPDATE payment SET payment_date = payment_date + interval '2 months' WHERE payment_id BETWEEN 10 AND 25;
     UPDATE payment SET payment_date = payment_date + interval '1 second' WHERE payment_id = 30; UPDATE payment SET amount = 0 WHERE customer_id = 3`,
    `INSERT INTO rental (rental_date, inventory_id, customer_id, staff_id) VALUES ('2022-06-20 10:00+00', 1, 1, 1);
     INSERT INTO payment_p2022_06 (customer_id, staff_id, rental_id, amount, payment_date) VALUES (1, 1, currval('rental_rental_id_seq'), 999.99, '2022-06-20 10:00+00');
     UPDATE rental SET return_date = '2022-06-21 10:00:00.000001+00' WHERE rental_id = currval('rental_rental_id_seq')`,
    'BEGIN; DELETE FROM rental; UPDATE customer SET active = 9; TRUNCATE payment; ROLLBACK',
    `UPDATE store SET manager_staff_id = 3 - manager_staff_id + 10; INSERT INTO staff (staff_id, first_name, last_name, address_id, store_id, username) VALUES (11, 'A', 'B', 5, 1, ''), (12, 'C', 'D', 6, 2, 'c');
     UPDATE staff SET active = false, picture = NULL WHERE staff_id = 1`,
    `DELETE FROM payment WHERE payment_date < '2022-02-01 00:00+00'; DELETE FROM actor WHERE actor_id % 9 = 0; UPDATE language SET name = 'Mandarin' WHERE language_id = 2`,
    `TRUNCATE payment; INSERT INTO payment (customer_id, staff_id, rental_id, amount, payment_date) SELECT customer_id, staff_id, rental_id, -1.5, rental_date FROM rental WHERE rental_id % 5 = 0`,
    `BEGIN; UPDATE customer SET email = NULL WHERE customer_id < 10; SAVEPOINT s; DELETE FROM payment; ROLLBACK TO s; UPDATE customer SET last_name = 'JONES' WHERE customer_id < 5; COMMIT`,
  ],
}
