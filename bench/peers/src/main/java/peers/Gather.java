package peers;

import bench.Gathered;
import bench.Open;
import bench.Part;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams, Processor API: the parts of a group are kept in a store until all of them are
 * there and make one record. The store is RocksDB with a changelog; with {@code memory=true} it is
 * one in memory with a changelog, and with {@code cached=true} only what stands at a commit goes to
 * it and to its changelog.
 */
public final class Gather {
    public static void main(String[] arguments) throws InterruptedException {
        Settings settings = Settings.of(arguments);
        String from = settings.text("from");
        String to = settings.text("to");
        Serde<String> keys = Serdes.String();
        Serde<Part> parts = Avro.PARTS;
        Serde<Gathered> results = Avro.GATHERED;
        Topology topology = new Topology()
            .addSource("parts", keys.deserializer(), parts.deserializer(), from)
            .addProcessor("gather", Gatherer::new, "parts")
            .addStateStore(store(settings), "gather")
            .addSink("results", to, keys.serializer(), results.serializer(), "gather");
        Streams.run(topology, settings);
    }

    private static StoreBuilder<KeyValueStore<String, Open>> store(Settings settings) {
        KeyValueBytesStoreSupplier supplier = settings.flag("memory")
            ? Stores.inMemoryKeyValueStore(Gatherer.STORE)
            : Stores.persistentKeyValueStore(Gatherer.STORE);
        StoreBuilder<KeyValueStore<String, Open>> store =
            Stores.keyValueStoreBuilder(supplier, Serdes.String(), Avro.OPEN);
        return settings.flag("cached") ? store.withCachingEnabled() : store.withCachingDisabled();
    }

    private Gather() {}
}
