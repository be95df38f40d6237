// The shape of Chinook, a digital music shop, in its older form: every name is quoted and in mixed case, amounts are
// numeric(10,2), one table is nothing but its key. https://github.com/lerocha/chinook-database
import type { WholeSchema } from './whole-schema.js'

const person = `"Address" varchar(70), "City" varchar(40), "State" varchar(40), "Country" varchar(40),
  "PostalCode" varchar(10), "Phone" varchar(24), "Fax" varchar(24)`

export const chinook: WholeSchema = {
  name: 'Chinook',
  mode: 'binary',
  unchanged: [],
  made: `
    CREATE TABLE "Artist" ("ArtistId" int NOT NULL, "Name" varchar(120), CONSTRAINT "PK_Artist" PRIMARY KEY ("ArtistId"));
    CREATE TABLE "Album" ("AlbumId" int PRIMARY KEY, "Title" varchar(160) NOT NULL,
      "ArtistId" int NOT NULL REFERENCES "Artist" ON UPDATE CASCADE ON DELETE CASCADE);
    CREATE TABLE "Genre" ("GenreId" int PRIMARY KEY, "Name" varchar(120));
    CREATE TABLE "MediaType" ("MediaTypeId" int PRIMARY KEY, "Name" varchar(120));
    CREATE TABLE "Track" ("TrackId" int PRIMARY KEY, "Name" varchar(200) NOT NULL,
      "AlbumId" int REFERENCES "Album" ON DELETE CASCADE, "MediaTypeId" int NOT NULL REFERENCES "MediaType",
      "GenreId" int REFERENCES "Genre" ON DELETE SET NULL, "Composer" varchar(220), "Milliseconds" int NOT NULL, "Bytes" int,
      "UnitPrice" numeric(10,2) NOT NULL);
    CREATE TABLE "Playlist" ("PlaylistId" int PRIMARY KEY, "Name" varchar(120));
    CREATE TABLE "PlaylistTrack" ("PlaylistId" int NOT NULL REFERENCES "Playlist",
      "TrackId" int NOT NULL REFERENCES "Track" ON UPDATE CASCADE ON DELETE CASCADE,
      CONSTRAINT "PK_PlaylistTrack" PRIMARY KEY ("PlaylistId", "TrackId"));
    CREATE TABLE "Employee" ("EmployeeId" int PRIMARY KEY, "LastName" varchar(20) NOT NULL, "FirstName" varchar(20) NOT NULL,
      "Title" varchar(30), "ReportsTo" int REFERENCES "Employee", "BirthDate" timestamp, "HireDate" timestamp,
      ${person}, "Email" varchar(60));
    CREATE TABLE "Customer" ("CustomerId" int PRIMARY KEY, "FirstName" varchar(40) NOT NULL, "LastName" varchar(20) NOT NULL,
      "Company" varchar(80), ${person}, "Email" varchar(60) NOT NULL, "SupportRepId" int REFERENCES "Employee");
    CREATE TABLE "Invoice" ("InvoiceId" int PRIMARY KEY, "CustomerId" int NOT NULL REFERENCES "Customer",
      "InvoiceDate" timestamp NOT NULL, "BillingAddress" varchar(70), "BillingCity" varchar(40), "BillingState" varchar(40),
      "BillingCountry" varchar(40), "BillingPostalCode" varchar(10), "Total" numeric(10,2) NOT NULL);
    CREATE TABLE "InvoiceLine" ("InvoiceLineId" int PRIMARY KEY, "InvoiceId" int NOT NULL REFERENCES "Invoice" ON DELETE CASCADE,
      "TrackId" int NOT NULL REFERENCES "Track" ON UPDATE CASCADE ON DELETE CASCADE, "UnitPrice" numeric(10,2) NOT NULL,
      "Quantity" int NOT NULL);
    CREATE INDEX "IFK_TrackAlbumId" ON "Track" ("AlbumId")`,
  seed: [
    `INSERT INTO "Genre" SELECT g, (ARRAY['Rock', 'Jazz', 'R&B/Soul', 'Bossa Nova', 'Ópera'])[g] FROM generate_series(1, 5) g;
     INSERT INTO "MediaType" SELECT g, 'MPEG-' || g || ' "audio" file' FROM generate_series(1, 3) g;
     INSERT INTO "Artist" SELECT g, CASE WHEN g % 17 = 0 THEN NULL ELSE 'Artiste ''n° ' || g END FROM generate_series(1, 40) g;
     INSERT INTO "Album" SELECT g, 'Title\\ of, "' || g || '"', g % 40 + 1 FROM generate_series(1, 80) g`,
    `INSERT INTO "Track" SELECT g, 'Faixa ' || g, g % 80 + 1, g % 3 + 1, nullif(g % 6, 0), CASE WHEN g % 4 = 0 THEN '' WHEN g % 5 > 0 THEN 'Ç. ' || g END,
       100000 + g * 997, CASE WHEN g % 9 > 0 THEN g * 50021 END, 0.99 + g % 2 FROM generate_series(1, 800) g;
     INSERT INTO "Playlist" SELECT g, 'Mix ' || g FROM generate_series(1, 8) g;
     INSERT INTO "PlaylistTrack" SELECT p, t FROM generate_series(1, 8) p, generate_series(1, 800) t WHERE (t + p) % 13 = 0`,
    `INSERT INTO "Employee" SELECT g, 'Last' || g, 'First' || g, 'Agent', nullif(g / 2, 0), timestamp '1962-02-18' + g * interval '400 days',
       timestamp '2002-08-14 09:00' + g * interval '1 day', 'Street ' || g, 'Calgary', 'AB', 'Canada', 'T2P', '+1 (403) ' || g, NULL, 'e' || g || '@example.com'
       FROM generate_series(1, 8) g;
     INSERT INTO "Customer" ("CustomerId", "FirstName", "LastName", "Country", "Email", "SupportRepId")
       SELECT g, 'Luís', 'Gonçalves ' || g, CASE g % 3 WHEN 0 THEN 'Brazil' WHEN 1 THEN 'Česko' END, 'c' || g || '@example.com', g % 8 + 1 FROM generate_series(1, 60) g`,
    `INSERT INTO "Invoice" ("InvoiceId", "CustomerId", "InvoiceDate", "Total") SELECT g, g % 60 + 1, timestamp '2021-01-01' + g * interval '30.5 hours', 0 FROM generate_series(1, 200) g;
     INSERT INTO "InvoiceLine" SELECT g, g % 200 + 1, g % 800 + 1, 0.99, g % 3 + 1 FROM generate_series(1, 1000) g;
     UPDATE "Invoice" i SET "Total" = (SELECT sum("UnitPrice" * "Quantity") FROM "InvoiceLine" l WHERE l."InvoiceId" = i."InvoiceId")`,
  ],
  work: [
    `UPDATE "Track" SET "UnitPrice" = round("UnitPrice" * 1.1, 2) WHERE "GenreId" = 2`,
    // Keys: through two tables that follow, one of them nothing but a key.
    `UPDATE "Track" SET "TrackId" = "TrackId" + 10000 WHERE "TrackId" BETWEEN 20 AND 45;
     UPDATE "Artist" SET "ArtistId" = -"ArtistId" WHERE "ArtistId" IN (3, 5)`,
    `DELETE FROM "Artist" WHERE "ArtistId" IN (-3, 7, 8)`,
    `DELETE FROM "Genre" WHERE "GenreId" = 4; INSERT INTO "Genre" VALUES (4, 'Again'), (6, NULL)`,
    `BEGIN; DELETE FROM "Invoice"; UPDATE "Customer" SET "Email" = ''; ROLLBACK`,
    `BEGIN; INSERT INTO "Invoice" VALUES (1001, 1, '2025-12-31 23:59:59.999999', NULL, NULL, NULL, NULL, NULL, 2.97);
       INSERT INTO "InvoiceLine" VALUES (5001, 1001, 11, 0.99, 1), (5002, 1001, 12, 1.98, 1);
       SAVEPOINT line; INSERT INTO "InvoiceLine" VALUES (5003, 1001, 13, 99999999.99, 1); ROLLBACK TO line;
       UPDATE "Invoice" SET "Total" = 2.96 WHERE "InvoiceId" = 1001; COMMIT`,
    `DELETE FROM "Invoice" WHERE "InvoiceId" % 10 = 0; UPDATE "Employee" SET "ReportsTo" = NULL, "Fax" = '' WHERE "EmployeeId" > 4`,
    `TRUNCATE "PlaylistTrack"; INSERT INTO "PlaylistTrack" SELECT 1, "TrackId" FROM "Track" WHERE "TrackId" % 20 = 1;
     UPDATE "PlaylistTrack" SET "PlaylistId" = 2 WHERE "TrackId" > 400`,
  ],
}
