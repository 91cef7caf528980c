#!/usr/bin/perl
# Makes files in MaxMind's format for the tests. usage: origin.pl FOLDER. Ends with 77 where the module that
# writes them (libmaxmind-db-writer-perl) is not there.
use strict;
use warnings;

eval { require MaxMind::DB::Writer::Tree; 1 } or exit 77;

my %types = (
    autonomous_system_number => 'uint32', autonomous_system_organization => 'utf8_string',
    country => 'map', registered_country => 'map', names => 'map', en => 'utf8_string', de => 'utf8_string',
    iso_code => 'utf8_string', city => 'map',
    asn => 'utf8_string', as_name => 'utf8_string', country_code => 'utf8_string',
);

sub make {
    my ($folder, $name, $version, $networks, %others) = @_;
    my %all = (%types, %others);
    my $tree = MaxMind::DB::Writer::Tree->new(
        ip_version => $version, record_size => 24, database_type => "Test-$name", languages => ['en'],
        description => { en => 'made for a test' }, map_key_type_callback => sub { $all{ $_[0] } },
        remove_reserved_networks => 0);
    $tree->insert_network($_, $networks->{$_}) for sort keys %$networks;
    open my $file, '>:raw', "$folder/$name.mmdb" or die "$folder/$name.mmdb: $!";
    $tree->write_tree($file);
    close $file or die;
}

my $folder = shift or die "no folder\n";
make($folder, 'asn', 6, {
    '192.0.2.0/24'        => { autonomous_system_number => 64500, autonomous_system_organization => 'Example Telecom' },
    '198.51.100.0/25'     => { autonomous_system_number => 64501 },
    '203.0.113.0/24'      => { autonomous_system_organization => "Telef\x{f3}nica\n\x{9b}2J" },
    '2001:db8::/32'       => { autonomous_system_number => 64502, autonomous_system_organization => 'Example Six' },
});
make($folder, 'country', 6, {
    '192.0.0.0/16'    => { country => { iso_code => 'NZ', names => { en => 'New Zealand', de => 'Neuseeland' } } },
    '198.51.100.0/24' => { registered_country => { iso_code => 'FJ', names => { en => 'Fiji' } } },
    '2001:db8:1::/48' => { country => { iso_code => 'TO', names => { en => 'Tonga' } } },
    '192.0.3.0/24'    => { city => { names => { en => 'nowhere' } } },
});
make($folder, 'four', 4, {
    '192.0.2.0/25' => { asn => 'AS64503', as_name => 'Flat', country => 'New Zealand', country_code => 'NZ' },
}, country => 'utf8_string');
