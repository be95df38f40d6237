// The shape of pagila, PostgreSQL's port of the Sakila sample: an enum, a domain, an array, full text kept by a trigger,
// last_update kept by another, payments partitioned by month, keys that point in a circle. The rows are generated.
import type { WholeSchema } from './whole-schema.js'

/** In the order in which they are made. */
const stamped = ['language', 'category', 'actor', 'country', 'city', 'address', 'film', 'film_actor', 'film_category']
const business = ['inventory', 'store', 'staff', 'customer', 'rental']
const months = ['01', '02', '03', '04', '05', '06', '07']

export const pagila: WholeSchema = {
  name: 'pagila',
  lake: 'bucket',
  unchanged: { 'public.staff': 'picture' },
  onlyInText: 'film.fulltext',
  absent: [
    'public.customer_list',
    'public.rental_by_category',
    ...months.map(partition).map((name) => `public.${name}`),
  ],
  made: `
    CREATE TYPE mpaa_rating AS ENUM ('G', 'PG', 'PG-13', 'R', 'NC-17');
    CREATE DOMAIN year AS integer CHECK (VALUE BETWEEN 1901 AND 2155);
    CREATE TABLE language (language_id serial PRIMARY KEY, name char(20) NOT NULL, last_update timestamptz NOT NULL DEFAULT now());
    CREATE TABLE category (category_id serial PRIMARY KEY, name text NOT NULL, last_update timestamptz NOT NULL DEFAULT now());
    CREATE TABLE actor (actor_id serial PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL,
      last_update timestamptz NOT NULL DEFAULT now());
    CREATE TABLE country (country_id serial PRIMARY KEY, country text NOT NULL, last_update timestamptz NOT NULL DEFAULT now());
    CREATE TABLE city (city_id serial PRIMARY KEY, city varchar(50) NOT NULL, country_id smallint NOT NULL,
      last_update timestamp NOT NULL DEFAULT now());
    CREATE TABLE address (address_id serial PRIMARY KEY, address varchar(50) NOT NULL, address2 varchar(50),
      district varchar(20) NOT NULL, city_id smallint NOT NULL, postal_code varchar(10), phone varchar(20) NOT NULL,
      last_update timestamp NOT NULL DEFAULT now());
    CREATE TABLE film (film_id serial PRIMARY KEY, title varchar(255) NOT NULL, description text, release_year year,
      language_id smallint NOT NULL, original_language_id smallint, rental_duration smallint NOT NULL DEFAULT 3,
      rental_rate numeric(4,2) NOT NULL DEFAULT 4.99, length smallint, replacement_cost numeric(5,2) NOT NULL DEFAULT 19.99,
      rating mpaa_rating DEFAULT 'G', last_update timestamptz NOT NULL DEFAULT now(), special_features text[],
      fulltext tsvector NOT NULL);
    CREATE TABLE film_actor (actor_id smallint, film_id smallint, last_update timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (actor_id, film_id));
    CREATE TABLE film_category (film_id smallint, category_id smallint, last_update timestamptz NOT NULL DEFAULT now(),
      PRIMARY KEY (film_id, category_id));
    CREATE TABLE inventory (inventory_id serial PRIMARY KEY, film_id smallint NOT NULL, store_id smallint NOT NULL,
      last_update timestamptz NOT NULL DEFAULT now());
    CREATE TABLE store (store_id serial PRIMARY KEY, manager_staff_id smallint NOT NULL, address_id smallint NOT NULL,
      last_update timestamptz NOT NULL DEFAULT now());
    CREATE UNIQUE INDEX ON store (manager_staff_id);
    CREATE TABLE staff (staff_id serial PRIMARY KEY, first_name varchar(45) NOT NULL, last_name varchar(45) NOT NULL,
      address_id smallint NOT NULL, email varchar(50), store_id smallint NOT NULL, active boolean NOT NULL DEFAULT true,
      username varchar(16) NOT NULL, password varchar(40), last_update timestamptz NOT NULL DEFAULT now(), picture bytea);
    CREATE TABLE customer (customer_id serial PRIMARY KEY, store_id smallint NOT NULL, first_name varchar(45) NOT NULL,
      last_name varchar(45) NOT NULL, email varchar(50), address_id smallint NOT NULL, activebool boolean NOT NULL DEFAULT true,
      create_date date NOT NULL DEFAULT CURRENT_DATE, last_update timestamptz DEFAULT now(), active integer);
    CREATE TABLE rental (rental_id serial PRIMARY KEY, rental_date timestamptz NOT NULL, inventory_id integer NOT NULL,
      customer_id smallint NOT NULL, return_date timestamptz, staff_id smallint NOT NULL,
      last_update timestamptz NOT NULL DEFAULT now());
    CREATE UNIQUE INDEX ON rental (rental_date, inventory_id, customer_id);
    CREATE TABLE payment (payment_id serial, customer_id smallint NOT NULL, staff_id smallint NOT NULL, rental_id integer NOT NULL,
      amount numeric(5,2) NOT NULL, payment_date timestamptz NOT NULL, PRIMARY KEY (payment_date, payment_id))
      PARTITION BY RANGE (payment_date);
    ${months.slice(0, -1).map(partitionMade).join('\n')}
    CREATE VIEW customer_list AS SELECT cu.customer_id AS id, cu.first_name || ' ' || cu.last_name AS name, a.address, ci.city
      FROM customer cu JOIN address a USING (address_id) JOIN city ci USING (city_id);
    CREATE MATERIALIZED VIEW rental_by_category AS SELECT c.name, sum(p.amount) AS total_sales
      FROM payment p JOIN rental USING (rental_id) JOIN inventory USING (inventory_id) JOIN film_category USING (film_id)
      JOIN category c USING (category_id) GROUP BY c.name;
    CREATE FUNCTION inventory_in_stock(wanted integer) RETURNS boolean LANGUAGE sql STABLE AS
      $$ SELECT NOT EXISTS (SELECT FROM rental WHERE inventory_id = wanted AND return_date IS NULL) $$;
    CREATE FUNCTION last_updated() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NEW.last_update = CURRENT_TIMESTAMP; RETURN NEW; END $$;
    CREATE TRIGGER film_fulltext_trigger BEFORE INSERT OR UPDATE ON film FOR EACH ROW
      EXECUTE FUNCTION tsvector_update_trigger('fulltext', 'pg_catalog.english', 'title', 'description');
    ${[...stamped, ...business].map((table) => `CREATE TRIGGER last_updated BEFORE UPDATE ON ${table} FOR EACH ROW EXECUTE FUNCTION last_updated();`).join('\n')}`,
  work: [
    `INSERT INTO language (name) VALUES ('English'), ('Italian'), ('日本語'), ('Français');
     INSERT INTO category (name) SELECT 'Category ' || g FROM generate_series(1, 16) g;
     INSERT INTO actor (first_name, last_name) SELECT 'First' || g, 'O''Last "' || md5(g::text) FROM generate_series(1, 120) g;
     INSERT INTO country (country) SELECT 'Land Ü' || g FROM generate_series(1, 20) g;
     INSERT INTO city (city, country_id) SELECT 'City ' || g, 1 + g % 20 FROM generate_series(1, 60) g;
     INSERT INTO address (address, address2, district, city_id, postal_code, phone)
       SELECT g || ' Main Street', CASE g % 3 WHEN 0 THEN '' WHEN 1 THEN 'rear' END, 'District ' || g % 9, 1 + g % 60,
              CASE WHEN g % 4 > 0 THEN lpad(g::text, 5, '0') END, '+' || g * 7919 FROM generate_series(1, 150) g`,
    `INSERT INTO film (title, description, release_year, language_id, original_language_id, rental_duration, rental_rate, length,
                       replacement_cost, rating, special_features)
       SELECT 'Film of the ' || md5(g::text), 'A quick story, number ' || g || ', of dogs and cats', 1901 + g % 120, 1 + g % 4,
              CASE WHEN g % 5 = 0 THEN 2 END, 3 + g % 5, 0.99 + g % 5, 46 + g % 140, 9.99 + g % 20,
              (enum_range(NULL::mpaa_rating))[1 + g % 5],
              CASE WHEN g % 7 = 0 THEN NULL WHEN g % 11 = 0 THEN '{}' ELSE ARRAY['Trailers', 'Behind the "Scenes", cut ' || g, NULL] END
         FROM generate_series(1, 300) g;
     INSERT INTO film_actor (actor_id, film_id) SELECT DISTINCT 1 + (f * 13 + k * 37) % 120, f FROM generate_series(1, 300) f, generate_series(1, 4) k;
     INSERT INTO film_category (film_id, category_id) SELECT f, 1 + f % 16 FROM generate_series(1, 300) f;
     INSERT INTO store (manager_staff_id, address_id) VALUES (1, 1), (2, 2);
     INSERT INTO staff (first_name, last_name, address_id, store_id, username, picture)
       SELECT 'Staff', 'No ' || g, g, g, 'user' || g, CASE g WHEN 1 THEN (SELECT decode(string_agg(md5(k::text), ''), 'hex') FROM generate_series(1, 500) k) END
         FROM generate_series(1, 2) g;
     INSERT INTO customer (store_id, first_name, last_name, email, address_id, create_date, active)
       SELECT 1 + g % 2, 'Customer', 'No ' || g, g || '@example.org', 1 + g % 150, date '2020-02-20' + g, g % 2 FROM generate_series(1, 200) g;
     INSERT INTO inventory (film_id, store_id) SELECT 1 + g % 300, 1 + g % 2 FROM generate_series(1, 800) g`,
    // As a dump does it: the keys that point to others when the rows are there.
    `ALTER TABLE city ADD FOREIGN KEY (country_id) REFERENCES country ON UPDATE CASCADE ON DELETE RESTRICT;
     ALTER TABLE address ADD FOREIGN KEY (city_id) REFERENCES city ON UPDATE CASCADE ON DELETE RESTRICT;
     ALTER TABLE film ADD FOREIGN KEY (language_id) REFERENCES language ON UPDATE CASCADE ON DELETE RESTRICT;
     ALTER TABLE film_actor ADD FOREIGN KEY (actor_id) REFERENCES actor ON UPDATE CASCADE ON DELETE CASCADE,
       ADD FOREIGN KEY (film_id) REFERENCES film ON UPDATE CASCADE ON DELETE RESTRICT;
     ALTER TABLE film_category ADD FOREIGN KEY (category_id) REFERENCES category ON UPDATE CASCADE ON DELETE RESTRICT;
     ALTER TABLE store ADD FOREIGN KEY (manager_staff_id) REFERENCES staff ON UPDATE CASCADE ON DELETE RESTRICT;
     ALTER TABLE staff ADD FOREIGN KEY (store_id) REFERENCES store ON UPDATE CASCADE;
     ALTER TABLE rental ADD FOREIGN KEY (inventory_id) REFERENCES inventory ON UPDATE CASCADE ON DELETE RESTRICT,
       ADD FOREIGN KEY (customer_id) REFERENCES customer ON UPDATE CASCADE ON DELETE CASCADE;
     ALTER TABLE payment ADD FOREIGN KEY (rental_id) REFERENCES rental ON UPDATE CASCADE ON DELETE CASCADE`,
    ...rentals(1, 900),
    `UPDATE rental SET return_date = rental_date + rental_id % 9 * interval '1 day 00:00:01.5' WHERE rental_id % 5 > 0`,
    // A new price and a new text, of which the trigger makes new words; the array is changed in one, gone in another.
    `UPDATE film SET rental_rate = rental_rate + 1, description = description || ' and birds' WHERE rating = 'PG-13';
     UPDATE film SET special_features = array_append(special_features, 'Commentary'), rating = 'NC-17' WHERE film_id % 17 = 0;
     UPDATE film SET special_features = NULL, description = NULL, length = NULL WHERE film_id % 29 = 0`,
    // Keys that others point to; the picture is not sent again.
    `UPDATE language SET language_id = 40 WHERE language_id = 4; UPDATE actor SET actor_id = 1000 + actor_id WHERE actor_id % 30 = 0;
     UPDATE staff SET active = false, password = 'x' WHERE staff_id = 1`,
    // To another month, which is another partition.
    `UPDATE payment SET payment_date = payment_date + interval '1 month' WHERE payment_id % 10 = 0 AND payment_date < '2022-06-01'`,
    `DELETE FROM customer WHERE customer_id % 20 = 0; DELETE FROM actor WHERE actor_id % 7 = 0; DELETE FROM film_category WHERE film_id % 50 = 0`,
    `BEGIN; DELETE FROM payment; ROLLBACK`,
    'TRUNCATE rental RESTART IDENTITY CASCADE',
    partitionMade(months.at(-1)!, months.length - 1),
    ...rentals(1000, 1400),
    `DELETE FROM payment WHERE payment_date < '2022-02-01'; REFRESH MATERIALIZED VIEW rental_by_category`,
  ],
}

/** One each hour or so, where the film is in stock, and its payment. */
function rentals(from: number, to: number): string[] {
  return [
    `INSERT INTO rental (rental_date, inventory_id, customer_id, staff_id)
       SELECT timestamptz '2022-01-03 10:00:00.25+00' + g % 900 * interval '4 hours 7 minutes', 1 + g * 31 % 800, c, 1 + g % 2
         FROM generate_series(${from}, ${to}) g, LATERAL (SELECT 1 + g * 7 % 19 + g % 10 * 20 AS c) customer
        WHERE c % 20 > 0 AND inventory_in_stock(1 + g * 31 % 800)`,
    `INSERT INTO payment (customer_id, staff_id, rental_id, amount, payment_date)
       SELECT customer_id, staff_id, rental_id, 0.99 + rental_id % 9, rental_date + interval '1 minute' FROM rental`,
  ]
}

function partition(month: string): string {
  return `payment_p2022_${month}`
}

function partitionMade(month: string, index: number): string {
  return `CREATE TABLE ${partition(month)} PARTITION OF payment
    FOR VALUES FROM ('2022-${month}-01 00:00+00') TO ('2022-0${index + 2}-01 00:00+00');`
}
