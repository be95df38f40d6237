// The shape of Chinook with the names it has everywhere but in its newest PostgreSQL script: tables and columns in mixed case,
// which every statement has to quote. The rows are generated.
import type { WholeSchema } from './whole-schema.js'

const place = `"Address" varchar(70), "City" varchar(40), "State" varchar(40), "Country" varchar(40), "PostalCode" varchar(10),
  "Phone" varchar(24), "Fax" varchar(24)`

export const chinook: WholeSchema = {
  name: 'Chinook',
  lake: 'bucket',
  made: `
    CREATE TABLE "Artist" ("ArtistId" int PRIMARY KEY, "Name" varchar(120));
    CREATE TABLE "Album" ("AlbumId" int PRIMARY KEY, "Title" varchar(160) NOT NULL, "ArtistId" int NOT NULL REFERENCES "Artist");
    CREATE TABLE "Genre" ("GenreId" int PRIMARY KEY, "Name" varchar(120));
    CREATE TABLE "MediaType" ("MediaTypeId" int PRIMARY KEY, "Name" varchar(120));
    CREATE TABLE "Employee" ("EmployeeId" int PRIMARY KEY, "LastName" varchar(20) NOT NULL, "FirstName" varchar(20) NOT NULL,
      "Title" varchar(30), "ReportsTo" int REFERENCES "Employee", "BirthDate" timestamp, "HireDate" timestamp, ${place}, "Email" varchar(60));
    CREATE TABLE "Customer" ("CustomerId" int PRIMARY KEY, "FirstName" varchar(40) NOT NULL, "LastName" varchar(20) NOT NULL,
      "Company" varchar(80), ${place}, "Email" varchar(60) NOT NULL, "SupportRepId" int REFERENCES "Employee");
    CREATE TABLE "Invoice" ("InvoiceId" int PRIMARY KEY, "CustomerId" int NOT NULL REFERENCES "Customer", "InvoiceDate" timestamp NOT NULL,
      "BillingAddress" varchar(70), "BillingCity" varchar(40), "BillingState" varchar(40), "BillingCountry" varchar(40),
      "BillingPostalCode" varchar(10), "Total" numeric(10,2) NOT NULL);
    CREATE TABLE "Track" ("TrackId" int PRIMARY KEY, "Name" varchar(200) NOT NULL, "AlbumId" int REFERENCES "Album",
      "MediaTypeId" int NOT NULL REFERENCES "MediaType", "GenreId" int REFERENCES "Genre", "Composer" varchar(220),
      "Milliseconds" int NOT NULL, "Bytes" int, "UnitPrice" numeric(10,2) NOT NULL);
    CREATE TABLE "InvoiceLine" ("InvoiceLineId" int PRIMARY KEY, "InvoiceId" int NOT NULL REFERENCES "Invoice",
      "TrackId" int NOT NULL REFERENCES "Track", "UnitPrice" numeric(10,2) NOT NULL, "Quantity" int NOT NULL);
    CREATE TABLE "Playlist" ("PlaylistId" int PRIMARY KEY, "Name" varchar(120));
    CREATE TABLE "PlaylistTrack" ("PlaylistId" int REFERENCES "Playlist", "TrackId" int REFERENCES "Track",
      PRIMARY KEY ("PlaylistId", "TrackId"))`,
  work: [
    `INSERT INTO "Artist" SELECT g, CASE WHEN g % 40 > 0 THEN 'Künstler & "Band" ' || g END FROM generate_series(1, 275) g;
     INSERT INTO "Album" SELECT g, 'Album ' || g || E' \\\\ Тест', 1 + g % 275 FROM generate_series(1, 347) g;
     INSERT INTO "Genre" SELECT g, 'R&B/' || g FROM generate_series(1, 25) g;
     INSERT INTO "MediaType" SELECT g, 'audio ' || g FROM generate_series(1, 5) g;
     INSERT INTO "Track" SELECT g, 'Track ' || g, 1 + g % 347, 1 + g % 5, CASE WHEN g % 30 > 0 THEN 1 + g % 25 END, CASE g % 4 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'C. ' || g END,
         g * 1009 % 5000000, CASE WHEN g % 9 > 0 THEN g * 104729 % 2000000000 END, 0.99 + g % 2 FROM generate_series(1, 3503) g;
     INSERT INTO "Playlist" SELECT g, 'List ' || g FROM generate_series(1, 18) g;
     INSERT INTO "PlaylistTrack" SELECT DISTINCT 1 + t % 18, 1 + t * 11 % 3503 FROM generate_series(1, 4000) t`,
    `INSERT INTO "Employee" SELECT g, 'Last', 'First ' || g, 'Agent', CASE WHEN g > 1 THEN g / 2 END, timestamp '1962-02-18' + g * interval '311 days', timestamp '2002-08-14 08:30:00.5' + g * interval '1 day',
         g || ' Jasper Ave', 'Edmonton', 'AB', 'Canada', 'T5K 2N1', NULL, NULL, g || '@chinook.example' FROM generate_series(1, 8) g;
     INSERT INTO "Customer" SELECT g, 'Luís', 'No ' || g, CASE WHEN g % 5 = 0 THEN 'Company' END, NULL, 'City ' || g % 20, CASE WHEN g % 2 = 0 THEN 'ST' END, 'Land', g::text, NULL, NULL,
         g || '@example.org', 3 + g % 3 FROM generate_series(1, 59) g`,
    ...invoices(1, 412),
    `UPDATE "Track" SET "UnitPrice" = "UnitPrice" * 1.1, "Composer" = upper("Composer") WHERE "GenreId" = 7; UPDATE "Track" SET "AlbumId" = NULL WHERE "TrackId" % 101 = 0`,
    `UPDATE "Invoice" i SET "Total" = (SELECT sum("UnitPrice" * "Quantity") FROM "InvoiceLine" l WHERE l."InvoiceId" = i."InvoiceId")`,
    // Of a key of two columns each of them, and one of one.
    `UPDATE "PlaylistTrack" SET "PlaylistId" = 18 WHERE "PlaylistId" = 1 AND "TrackId" NOT IN (SELECT "TrackId" FROM "PlaylistTrack" WHERE "PlaylistId" = 18);
     UPDATE "PlaylistTrack" SET "TrackId" = 4000 - "TrackId" WHERE "TrackId" > 3490 AND "PlaylistId" % 2 = 0 AND NOT EXISTS (
       SELECT FROM "PlaylistTrack" o WHERE o."PlaylistId" = "PlaylistTrack"."PlaylistId" AND o."TrackId" = 4000 - "PlaylistTrack"."TrackId");
     UPDATE "InvoiceLine" SET "InvoiceLineId" = -"InvoiceLineId" WHERE "InvoiceLineId" % 100 = 0`,
    `BEGIN; SAVEPOINT a; DELETE FROM "InvoiceLine" WHERE "InvoiceId" = 1; ROLLBACK TO a; DELETE FROM "InvoiceLine" WHERE "InvoiceId" = 2; DELETE FROM "Invoice" WHERE "InvoiceId" = 2; COMMIT`,
    `DELETE FROM "InvoiceLine" WHERE "InvoiceId" % 13 = 0; DELETE FROM "Invoice" WHERE "InvoiceId" % 13 = 0; DELETE FROM "PlaylistTrack" WHERE "PlaylistId" = 5; DELETE FROM "Playlist" WHERE "PlaylistId" = 5`,
    'TRUNCATE "Invoice" CASCADE',
    ...invoices(500, 600),
    `INSERT INTO "Genre" VALUES (25, 'Opera'), (26, NULL) ON CONFLICT ("GenreId") DO UPDATE SET "Name" = EXCLUDED."Name"`,
  ],
}

/** With five lines each. */
function invoices(from: number, to: number): string[] {
  return [
    `INSERT INTO "Invoice" SELECT g, 1 + g % 59, timestamp '2021-01-01' + g * interval '1 day', NULL, 'City', CASE WHEN g % 3 = 0 THEN '' END, 'Land', g::text, 0 FROM generate_series(${from}, ${to}) g;
     INSERT INTO "InvoiceLine" SELECT g * 5 + k, g, 1 + (g * 5 + k) * 17 % 3503, 0.99 + k % 2, 1 FROM generate_series(${from}, ${to}) g, generate_series(0, 4) k`,
  ]
}
